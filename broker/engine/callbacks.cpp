// Vendors' callbacks: the plugin has parsed them (on the caller's thread); here their events take effect and become
// durable before the vendor gets its answer.
#include "broker/engine/core.hpp"
#include "broker/engine/durable_answer.hpp"

namespace godwit::engine {

void Core::on_webhook(WebhookReply reply, Done<Broker::CallbackAnswer> done) {
  const uint64_t facts_before = registry_writer_.facts();
  on_events(reply.events);
  encode_outcomes();
  Broker::CallbackAnswer answer{reply.status, std::move(reply.content_type), std::move(reply.body)};
  if (record_count_ == 0) {
    if (registry_writer_.facts() == facts_before) return done(std::move(answer));  // nothing that has to be kept
    registry_writer_.when_facts_are_durable([done = std::move(done), answer = std::move(answer)](Fate fate) mutable {
      if (fate != Fate::ok) return done(journal_error(fate));
      done(std::move(answer));
    });
    return;
  }
  // Behind the facts in the ledger: when this is durable, so are they.
  answer_when_durable(parts_.ledger, post_job_, std::exchange(record_buffer_, {}), std::exchange(record_count_, 0),
                      std::move(done), std::move(answer));
}

}  // namespace godwit::engine
