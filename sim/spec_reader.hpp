// The parts that a scenario and a tape's header share: channels, classes, events.
#pragma once

#include <vector>

#include "sim/scenario.hpp"
#include "sim/strict_json.hpp"

namespace godwit::sim {

std::vector<ChannelSpec> read_channels(Fields& document);
std::vector<MessageClass> read_classes(Fields& document);
Event read_event(Fields& event);
std::vector<Event> read_events(Fields& document);

}  // namespace godwit::sim
