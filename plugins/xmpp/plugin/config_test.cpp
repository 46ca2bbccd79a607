#include "plugins/xmpp/plugin/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <godwit/json.hpp>

namespace xmpp {
namespace {

using godwit::Json;
using testing::HasSubstr;

Json component() {
  return {{"server", "127.0.0.1:5347"}, {"jid", "push.example.org"}, {"password", "secret-name"}};
}
Json with(Json json, const char* key, Json value) {
  json[key] = std::move(value);
  return json;
}
// "where: text" of the first thing that is wrong.
std::string fault(const Json& json) {
  const auto parsed = parse_settings(json.dump());
  if (!parsed) return parsed.error().where + ": " + parsed.error().message;
  std::string out;
  gw_diag diag{sizeof diag, 0, &out, [](void* ctx, int32_t severity, gw_str where, gw_str text) {
                 std::string& first = *static_cast<std::string*>(ctx);
                 if (first.empty())
                   first = (severity == GW_DIAG_WARNING ? "warning " : "") + std::string(godwit::view(where)) + ": " +
                           std::string(godwit::view(text));
               }};
  godwit::Report report(&diag);
  check_settings(*parsed, report);
  return out;
}

TEST(Config, AComponentNeedsThreeProperties) {
  EXPECT_EQ(fault(component()), "");
  const auto settings = parse_settings(component().dump());
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->tls, TlsMode::off);
  EXPECT_EQ(settings->jid.domain, "push.example.org");
  for (const char* key : {"server", "jid", "password"}) {
    Json json = component();
    json.erase(key);
    EXPECT_THAT(fault(json), HasSubstr(std::string("/") + key));
  }
}

TEST(Config, AClientIsEncryptedUnlessToldOtherwise) {
  const Json json = with(with(component(), "mode", "client"), "jid", "broker@example.org/node-1");
  EXPECT_EQ(fault(json), "");
  EXPECT_EQ(parse_settings(json.dump())->tls, TlsMode::required);
  EXPECT_THAT(fault(with(component(), "mode", "client")), HasSubstr("/jid: in mode client `jid` is an account"));
}

TEST(Config, WhatMakesNoSenseIsNamed) {
  EXPECT_THAT(fault(with(component(), "jid", "a b@c")),
              HasSubstr("/jid: `jid` is \"a b@c\", which is no XMPP address"));
  EXPECT_THAT(fault(with(component(), "server", "example.org")), HasSubstr("/server"));
  EXPECT_THAT(fault(with(component(), "server", "example.org:99999")), HasSubstr("it must be HOST:PORT"));
  EXPECT_THAT(fault(with(component(), "tls", "optional")), HasSubstr("/tls: a component link cannot agree on TLS"));
  EXPECT_THAT(fault(with(component(), "tls", "maybe")), HasSubstr("one of required, optional, off"));
  EXPECT_THAT(fault(with(component(), "dialect", "irc")), HasSubstr("/dialect"));
  EXPECT_THAT(fault(with(component(), "domain", "a@b")), HasSubstr("/domain"));
  EXPECT_THAT(fault(with(component(), "window", 0)), HasSubstr("/window"));
  EXPECT_THAT(fault(with(component(), "window", "many")), HasSubstr("/window"));
  EXPECT_THAT(fault(with(with(component(), "dialect", "androidpn"), "offline", "server")), HasSubstr("/offline"));
}

TEST(Config, ClearTextToAnotherMachineIsWarnedOf) {
  EXPECT_THAT(fault(with(component(), "server", "xmpp.example.org:5347")), HasSubstr("warning /tls"));
  EXPECT_EQ(fault(with(component(), "server", "localhost:5347")), "");
}

}  // namespace
}  // namespace xmpp
