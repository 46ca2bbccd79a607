// The live stream of steps in messages' lives. Costs nothing while nobody listens.
#include "broker/engine/core.hpp"

namespace godwit::engine {

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
  life_feed_.tell(e);
}

}  // namespace godwit::engine
