// Vendors' callbacks: the plugin has parsed them (on the caller's thread); here their events take effect and become
// durable before the vendor gets its answer.
#include "broker/engine/core.hpp"

namespace godwit::engine {

void Core::on_webhook(WebhookReply reply, Done<Broker::CallbackAnswer> done) {
  on_events(reply.events);
  encode_outcomes();
  Broker::CallbackAnswer answer{reply.status, std::move(reply.content_type), std::move(reply.body)};
  if (record_count_ == 0) return done(std::move(answer));
  answer_when_durable<Broker::CallbackAnswer>(std::exchange(record_buffer_, {}), std::exchange(record_count_, 0),
                                              std::move(done), std::move(answer));
}

}  // namespace godwit::engine
