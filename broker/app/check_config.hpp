// What --check-config checks beyond the file itself: keys, and every channel's settings against its plugin.
#pragma once

#include "broker/app/config.hpp"

namespace godwit {

// Adds its faults to the result. Opens each plugin, but starts nothing and touches no data directory.
void check_config(ConfigResult& result);

}  // namespace godwit
