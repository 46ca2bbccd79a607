// The plugin ABI's words in ours: capabilities, states, events.
#pragma once

#include <godwit/abi.h>

#include <optional>

#include "broker/channels/port.hpp"

namespace godwit::channels {

// Where a plugin sets no limit of its own.
constexpr uint32_t kDefaultMaxBatch = 1000;
constexpr uint32_t kDefaultMaxWindow = 65'536;

ChannelCaps to_caps(const gw_caps& caps);
std::optional<ChannelState> to_state(uint32_t state);

// nullopt: an event to be dropped (a kind that we do not know, or nothing in it that names a device or message).
// Texts are cleaned and cut; `now` stamps events that bear no time.
std::optional<ChannelEvent> to_event(const gw_event& event, ChannelNo channel, WallMs now);

}  // namespace godwit::channels
