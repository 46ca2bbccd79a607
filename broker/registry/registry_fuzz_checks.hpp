// What must hold of a registry whatever it was fed with; the fuzz targets abort where it does not.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "broker/registry/registry.hpp"

namespace godwit::test {

inline void check(bool holds) {
  if (!holds) std::abort();
}

inline void check_consistent(const Registry& registry, std::string_view app) {
  size_t members = 0;
  for (DeviceNo no = registry.next_of_app(app, 0); no != kNoDevice; no = registry.next_of_app(app, no + 1)) {
    ++members;
    check(registry.exists(no) && no < registry.end());
    const Device device = registry.device(no);
    check(device.app == app && registry.find(app, device.id) == no && registry.id_of(no) == device.id);
    check(registry.user_of(no) == device.user_id && registry.manufacturer_of(no) == device.manufacturer);
    if (!device.user_id.empty()) {
      const auto devices = registry.user_devices(app, device.user_id);
      check(std::is_sorted(devices.begin(), devices.end()));
      check(std::binary_search(devices.begin(), devices.end(), no));
    }
    for (const std::string& topic : registry.topics_of(no)) check(registry.next_of_topic(app, topic, no) == no);
    for (const DeviceChannel& c : device.channels)
      if (!c.invalid && !c.token.empty()) check(registry.find_token(app, c.channel, c.token) != kNoDevice);
  }
  check(registry.app_size(app) == members);
}

inline void check_tokens_have_one_holder(const Registry& registry, std::string_view app) {
  for (DeviceNo no = registry.next_of_app(app, 0); no != kNoDevice; no = registry.next_of_app(app, no + 1))
    registry.for_each_token(no, [&](const Registry::Token& t) {
      if (!t.token.empty()) check(registry.find_token(app, t.channel, t.token) == no);
    });
}

}  // namespace godwit::test
