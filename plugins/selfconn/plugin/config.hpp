// The channel's configuration: JSON as the host checked it, to Settings. Pure.
#pragma once

#include <string_view>

#include <godwit/report.hpp>

#include "plugins/selfconn/gateway/settings.hpp"

namespace selfconn {

// The host filled in the defaults and checked the schema; what is missing all the same gets ours.
godwit::Result<Settings> parse_settings(std::string_view json);

// What a schema cannot say.
void check_settings(const Settings& settings, godwit::Report& report);

}  // namespace selfconn
