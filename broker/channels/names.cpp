#include <array>

#include "broker/channels/port.hpp"

namespace godwit {
namespace {

constexpr std::array<std::string_view, 11> kDispositions{"accepted",    "delivered",      "retry",    "throttled",
                                                         "unreachable", "target_invalid", "rejected", "config",
                                                         "unknown",     "cancelled",      "expired"};
constexpr std::array<std::string_view, 7> kStates{"starting", "ready", "degraded", "down", "failed", "hung", "stopped"};

// A value added to an enum without its name here fails to compile.
static_assert(kDispositions.size() == static_cast<size_t>(Disposition::expired) + 1);
static_assert(kStates.size() == static_cast<size_t>(ChannelState::stopped) + 1);

}  // namespace

std::string_view to_string(Disposition v) {
  return kDispositions[static_cast<size_t>(v)];
}
std::string_view to_string(ChannelState v) {
  return kStates[static_cast<size_t>(v)];
}

}  // namespace godwit
