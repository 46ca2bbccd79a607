#include "broker/planner/audience.hpp"

#include <algorithm>

namespace godwit::planner {

void expand(const Message& m, const Registry& registry, Recipients& out) {
  out.clear();
  for (uint32_t i = 0; i < m.to.names.size(); ++i) {
    const std::string& name = m.to.names[i];
    if (m.to.kind == AudienceKind::user || m.to.kind == AudienceKind::users) {
      const auto devices = registry.user_devices(m.app, name);
      if (devices.empty()) out.nobody.push_back(i);
      out.devices.insert(out.devices.end(), devices.begin(), devices.end());
      continue;
    }
    const DeviceNo device =
        m.to.kind == AudienceKind::token ? registry.find_token(m.app, m.to.channel, name) : registry.find(m.app, name);
    if (device == kNoDevice)
      out.nobody.push_back(i);
    else
      out.devices.push_back(device);
  }
  if (m.to.names.size() < 2) return;  // one name cannot lead to the same device twice
  std::sort(out.devices.begin(), out.devices.end());
  out.devices.erase(std::unique(out.devices.begin(), out.devices.end()), out.devices.end());
}

bool is_fanout(const Message& m) {
  return m.to.kind == AudienceKind::topic || m.to.kind == AudienceKind::all;
}

DeviceNo next_of_fanout(const Message& m, const Registry& registry, DeviceNo from) {
  return m.to.kind == AudienceKind::all ? registry.next_of_app(m.app, from)
                                        : registry.next_of_topic(m.app, m.to.names.front(), from);
}

uint64_t size_of_fanout(const Message& m, const Registry& registry) {
  return m.to.kind == AudienceKind::all ? registry.app_size(m.app) : registry.topic_size(m.app, m.to.names.front());
}

}  // namespace godwit::planner
