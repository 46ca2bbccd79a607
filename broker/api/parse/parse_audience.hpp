// `to` of a message: exactly one audience. Included by parse_*.cpp only.
#pragma once

#include "broker/api/parse/json_reader.hpp"
#include "broker/message/message.hpp"

namespace godwit {

void parse_audience(json::Value value, const Place& place, Audience& out, Faults& faults);

}  // namespace godwit
