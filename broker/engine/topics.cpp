// Topics: who is subscribed, and to what.
#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr size_t kPage = 1'000;  // device ids

}  // namespace

void Core::set_topic(std::string app, std::string topic, std::string device_id, bool subscribed, Done<void> done) {
  auto make = [this, app, topic = std::move(topic), device_id, subscribed]() -> Result<std::string> {
    return registry_record::topic(app, topic, device_id, subscribed, wall_);
  };
  registry_writer_.change(app, device_id, std::move(make),
                          [device_id, done = std::move(done)](Result<RegistryChange> change) mutable {
                            if (!change) return done(std::move(change).error());
                            if (!change->known) return done(Error{Code::not_found, "no such device", device_id});
                            done({});
                          });
}

void Core::list_topics(const std::string& app, Done<std::vector<Broker::TopicInfo>> done) {
  std::vector<Broker::TopicInfo> out;
  for (auto& [topic, devices] : registry_.topics(app)) out.push_back({topic, devices});
  done(std::move(out));
}

void Core::topic_devices(const std::string& app, const std::string& topic, const std::string& page,
                         Done<Broker::TopicPage> done) {
  Broker::TopicPage out;
  out.devices = registry_.topic_size(app, topic);
  DeviceNo from = static_cast<DeviceNo>(std::strtoul(page.c_str(), nullptr, 10));
  while ((from = registry_.next_of_topic(app, topic, from)) != kNoDevice) {
    if (out.device_ids.size() == kPage) {
      out.next_page = std::to_string(from);
      break;
    }
    out.device_ids.emplace_back(registry_.id_of(from++));
  }
  done(std::move(out));
}

}  // namespace godwit::engine
