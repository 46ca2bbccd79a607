// The configuration of one channel instance: JSON in, Settings out. Pure.
#pragma once

#include <godwit/channel.hpp>

#include "plugins/xmpp/session/settings.hpp"

namespace xmpp {

godwit::Result<Settings> parse_settings(std::string_view json);

// What a schema cannot say.
void check_settings(const Settings& settings, godwit::Report& report);

}  // namespace xmpp

template <>
struct godwit::ConfigFrom<xmpp::Settings> {
  static godwit::Result<xmpp::Settings> parse(std::string_view json) { return xmpp::parse_settings(json); }
};
