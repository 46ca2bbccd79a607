// The live stream of steps in messages' lives. Costs nothing while nobody listens.
#include "broker/engine/core.hpp"

namespace godwit::engine {

void Core::subscribe(uint64_t subscription, std::string app, LifeEventSink sink) {
  subscribers_.push_back({subscription, std::move(app), std::move(sink)});
}

void Core::unsubscribe(uint64_t subscription) {
  std::erase_if(subscribers_, [=](const Subscriber& s) { return s.id == subscription; });
}

void Core::emit(const MessageEntry& m, const Delivery* d, std::string_view event, ChannelNo channel,
                std::string detail) {
  LifeEvent e;
  e.at_ms = wall_;
  e.app = m.message->app;
  e.message = m.message->id;
  if (d != nullptr) e.device_id = device_id(d->device);
  e.event = event;
  if (channel < slots_.size()) e.channel = slots_[channel].name;
  e.detail = std::move(detail);
  for (const Subscriber& s : subscribers_)
    if (s.app.empty() || s.app == e.app) s.sink(e);
}

}  // namespace godwit::engine
