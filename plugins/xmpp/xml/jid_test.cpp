#include "plugins/xmpp/xml/jid.hpp"

#include <gtest/gtest.h>

namespace xmpp {
namespace {

TEST(Jid, IsTakenApartAndLowered) {
  const auto jid = Jid::parse("Phone-1@Push.Example/Androidpn/Client");
  ASSERT_TRUE(jid);
  EXPECT_EQ(jid->bare(), "phone-1@push.example");
  EXPECT_EQ(jid->resource, "Androidpn/Client");
  EXPECT_EQ(jid->full(), "phone-1@push.example/Androidpn/Client");
  EXPECT_EQ(Jid::parse("push.example")->bare(), "push.example");
}

// A bad address in `to` costs a message, one in `from` the whole link.
TEST(Jid, WhatAServerWouldRefuseIsRefusedHere) {
  for (const char* bad : {"", "@push.example", "a@", "a b@push.example", "a@b@c", "a@push.example/", "/x", "a<@x",
                          "a@x y", "a@x/\n", "a'b@x", "\xFF@x", ".x"})
    EXPECT_FALSE(Jid::parse(bad)) << bad;
  EXPECT_FALSE(Jid::parse(std::string(1024, 'a') + "@x"));
  EXPECT_TRUE(Jid::parse(std::string(1023, 'a') + "@x"));
}

}  // namespace
}  // namespace xmpp
