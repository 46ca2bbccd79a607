// Reads the constant tree behind a plugin's entry symbol and refuses half-built plugins by the name of what is missing.
#pragma once

#include "broker/base/result.hpp"
#include "broker/channels/plugin.hpp"

namespace godwit::channels {

// Fills sdk_version, flags and types of `plugin`. Calls nothing but get_extension.
Result<void> read_entry(const gw_entry& entry, Plugin& plugin);

}  // namespace godwit::channels
