#include "broker/engine/apps.hpp"

#include <algorithm>

namespace godwit::engine {

App& Apps::of(std::string_view id) {
  const auto it = by_id_.find(id);
  if (it != by_id_.end()) return apps_[it->second];
  App& app = apps_.emplace_back();
  app.no = static_cast<uint16_t>(apps_.size() - 1);
  app.id = id;
  app.stats = &stats_.app(id);
  by_id_.emplace(app.id, app.no);
  for (const ChannelSlot& slot : channels_) {
    app.channels.push_back(slot.no);
    app.mask |= slot.bit();
  }
  return app;
}

void Apps::configure(const AppOptions& options) {
  App& app = of(options.id);
  app.channels.clear();
  app.mask = 0;
  const auto place = [&](ChannelNo no) {
    return std::find(options.channels.begin(), options.channels.end(), channels_[no].name);
  };
  for (const ChannelSlot& slot : channels_) {
    if (!options.channels.empty() && place(slot.no) == options.channels.end()) continue;
    app.channels.push_back(slot.no);
    app.mask |= slot.bit();
  }
  std::stable_sort(app.channels.begin(), app.channels.end(),
                   [&](ChannelNo a, ChannelNo b) { return place(a) < place(b); });
}

uint32_t Apps::mask_for(const App& app, const std::vector<std::string>& named) const {
  if (named.empty()) return app.mask;
  uint32_t mask = 0;
  for (const ChannelSlot& slot : channels_)
    for (const std::string& name : named)
      if (slot.name == name) mask |= slot.bit();
  return mask & app.mask;
}

}  // namespace godwit::engine
