// Under which names the engine keeps single values in the catalogue.
#pragma once

#include <string_view>

namespace godwit::engine {

constexpr std::string_view kReplayFromKey = "journal/replay_from";  // where replay begins; written by each checkpoint
constexpr std::string_view kRouterKey = "router/snapshot";

}  // namespace godwit::engine
