// The channel type inside the built selfconn.so, loaded as the broker loads it.
#pragma once

#include <godwit/abi.h>

namespace selfconn::testing {

// Loads the library once per process. Aborts with a text when that fails.
const gw_channel_type* load_selfconn();

}  // namespace selfconn::testing
