// Parcels: a message in the shape in which a channel takes it.
#pragma once

#include <string>
#include <string_view>

#include "broker/channels/port.hpp"
#include "broker/registry/registry.hpp"

namespace godwit::dispatch {

// The target's address on a channel: the registration token, or "app/device" where there is none.
std::string address_of(std::string_view app, std::string_view device_id, std::string_view token);
// Back from "app/device"; empty parts when it is not of that form.
struct AppDevice {
  std::string_view app, device_id;
};
AppDevice split_address(std::string_view address);

// What a channel may want to know of the device: {"device_id":…,"manufacturer":…,"platform":…,"os_version":…}; members
// that are empty are left out.
std::string device_extra(const Registry& registry, DeviceNo device);

// The override for this channel: by the instance's name, else by the plugin's; empty when there is none.
std::string_view override_for(const Message& message, std::string_view channel, std::string_view plugin);

void append_json_string(std::string& out, std::string_view text);

}  // namespace godwit::dispatch
