// A message in the words of each generation: TPNS and V3 take one JSON body, V2 takes form fields with a JSON text in
// them. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <godwit/message.hpp>
#include <godwit/result.hpp>

#include "address.hpp"
#include "config.hpp"

namespace xinge {

using Parameters = std::map<std::string, std::string>;

// What is said, without the targets; made once a message.
struct Said {
  std::string json;       // TPNS, V3: the body's members that do not name targets, as an object
  Parameters parameters;  // V2
};

// GW_E_INVALID: it cannot be said in this vendor's terms (too large); the text says why.
godwit::Result<Said> said_of(const Config& config, const godwit::Message& message);

// The JSON body for targets of one kind. `push_id`: V3's lists, "0" for the first.
std::string body_for(const Config& config, const Said& said, Kind kind, const std::vector<std::string_view>& targets);

// V2: the path and parameters (without sign) of the call that sends to these targets. A list is two calls: the first
// (create_multipush) stores the message, the second names the targets and the first one's push_id.
struct V2Call {
  std::string path;
  Parameters parameters;
};
bool v2_needs_push_id(Kind kind, size_t targets);
V2Call v2_store(const Said& said);
V2Call v2_call(const Said& said, Kind kind, const std::vector<std::string_view>& targets, const std::string& push_id);

std::string form_of(const Parameters& parameters);

}  // namespace xinge
