#include "broker/registry/device_fields.hpp"

namespace godwit {

void DeviceFields::clear() {
  app = id = user_id = {};
  attributes.fill({});
  location.reset();
  tags.clear();
  channels.clear();
  topics.clear();
  number = version = 0;
  generation = 1;
  created_ms = updated_ms = 0;
}

void DeviceFields::borrow(const Device& d) {
  clear();
  app = d.app;
  id = d.id;
  user_id = d.user_id;
  attributes = {d.platform, d.manufacturer, d.model, d.os_version, d.app_version, d.locale, d.timezone, d.network};
  location = d.location;
  tags.assign(d.tags.begin(), d.tags.end());
  for (const DeviceChannel& c : d.channels) channels.push_back({c.channel, c.token, c.invalid, c.registered_ms});
  number = d.number;
  version = d.version;
  generation = d.generation;
  created_ms = d.created_ms;
  updated_ms = d.updated_ms;
}

Device DeviceFields::copy() const {
  const DeviceFields& self = *this;
  Device d;
  d.app = app;
  d.id = id;
  d.user_id = user_id;
  d.platform = self[Attribute::platform];
  d.manufacturer = self[Attribute::manufacturer];
  d.model = self[Attribute::model];
  d.os_version = self[Attribute::os_version];
  d.app_version = self[Attribute::app_version];
  d.locale = self[Attribute::locale];
  d.timezone = self[Attribute::timezone];
  d.network = self[Attribute::network];
  d.location = location;
  d.tags.assign(tags.begin(), tags.end());
  d.channels.reserve(channels.size());
  for (const ChannelFields& c : channels)
    d.channels.push_back({std::string(c.channel), std::string(c.token), c.invalid, c.registered_ms});
  d.number = number;
  d.version = version;
  d.generation = generation;
  d.created_ms = created_ms;
  d.updated_ms = updated_ms;
  return d;
}

}  // namespace godwit
