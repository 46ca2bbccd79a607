// Which strings MQTT allows, and where we are stricter than it.
#pragma once

#include <string_view>

namespace godwit::mqtt {

// Well-formed UTF-8 without surrogates and without U+0000, as every MQTT string must be. A leading U+FEFF is kept.
bool is_mqtt_text(std::string_view text);

// Also without control characters and non-characters, which a server may refuse; we do so wherever a string is a name:
// client ids, user names, topics. REQUIRES: nothing (checks is_mqtt_text itself).
bool is_name(std::string_view text);

// A topic that a PUBLISH may carry: a name of at least one character, without the wildcards + and #.
bool is_topic(std::string_view text);

// A subscription's filter: + fills a whole level, # too and only as the last one; $share/GROUP/FILTER included.
bool is_filter(std::string_view text);
bool is_shared_filter(std::string_view text);

}  // namespace godwit::mqtt
