// A fleet of devices as an app in China has it: a few makers with many models, most users with one device, registration
// tokens of 64 to 160 characters on three channels, two tags and sometimes a place. Device i is the same in every run.
#pragma once

#include <cstdint>
#include <string>

#include "broker/message/device.hpp"

namespace godwit::bench {

Device fleet_device(uint64_t i);  // number i + 1, version i + 1

std::string fleet_device_id(uint64_t i);  // a UUID
std::string fleet_user_id(uint64_t i);    // one user in eight has a second device
std::string fleet_token(uint64_t i, unsigned channel);
inline constexpr const char* kFleetChannels[] = {"mipush", "xinge", "fcm"};

}  // namespace godwit::bench
