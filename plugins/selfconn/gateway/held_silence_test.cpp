#include "plugins/selfconn/gateway/held_silence.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include "plugins/selfconn/gateway/settings.hpp"

namespace selfconn {
namespace {

constexpr uint32_t kHome = 1, kElsewhere = 2, kDevice = 7;
constexpr uint32_t kDay = 24 * 3600 * kTicksPerSecond;

uint32_t network_of(const char* text) {
  sockaddr_storage address{};
  address.ss_family = std::string_view(text).find(':') == std::string_view::npos ? AF_INET : AF_INET6;
  if (address.ss_family == AF_INET)
    inet_pton(AF_INET, text, &reinterpret_cast<sockaddr_in&>(address).sin_addr);
  else
    inet_pton(AF_INET6, text, &reinterpret_cast<sockaddr_in6&>(address).sin6_addr);
  return HeldSilence::network_of(address);
}

void hold(HeldSilence& silence, uint32_t network, uint32_t seconds, int times) {
  for (int i = 0; i < times; ++i) silence.held(network, seconds, 0);
}

TEST(HeldSilence, ClimbsByAMinuteAfterFiveThatHeldUpToTheLongest) {
  HeldSilence silence(210, 600);
  EXPECT_EQ(silence.granted_s(kHome, 0), 210u);
  hold(silence, kHome, 205, 4);
  EXPECT_EQ(silence.granted_s(kHome, 0), 210u);
  hold(silence, kHome, 205, 1);
  EXPECT_EQ(silence.granted_s(kHome, 0), 270u);
  EXPECT_EQ(silence.granted_s(kElsewhere, 0), 210u);
  for (int i = 0; i < 20; ++i) hold(silence, kHome, silence.granted_s(kHome, 0), 5);
  EXPECT_EQ(silence.granted_s(kHome, 0), 600u);
}

TEST(HeldSilence, LearnsFromDevicesThatAreSilentForLongerThanTheyNeed) {
  HeldSilence silence(210, 1800);
  hold(silence, kHome, 1200, 4);
  hold(silence, kHome, 900, 1);
  EXPECT_EQ(silence.granted_s(kHome, 0), 900u);
}

TEST(HeldSilence, ShortSilencesSayNothing) {
  HeldSilence silence(210, 600);
  hold(silence, kHome, 60, 100);
  silence.broke(kHome, 100, 0);
  silence.broke(kHome, 100, 0);
  EXPECT_EQ(silence.granted_s(kHome, 0), 210u);
}

TEST(HeldSilence, FallsWhenTwoInARowBrokeAndStaysThereForAWeek) {
  HeldSilence silence(210, 1800);
  for (int i = 0; i < 3; ++i) hold(silence, kHome, silence.granted_s(kHome, 0), 5);
  ASSERT_EQ(silence.granted_s(kHome, 0), 390u);
  silence.broke(kHome, 400, 0);
  silence.held(kHome, 390, 0);
  silence.broke(kHome, 400, 0);
  EXPECT_EQ(silence.granted_s(kHome, 0), 390u) << "one held between them";
  silence.broke(kHome, 400, 0);
  EXPECT_EQ(silence.granted_s(kHome, 0), 310u);
  hold(silence, kHome, 310, 50);
  EXPECT_EQ(silence.granted_s(kHome, 6 * kDay), 310u);
  EXPECT_EQ(silence.granted_s(kHome, 7 * kDay), 330u) << "a little more is tried";
  EXPECT_EQ(silence.granted_s(kHome, 8 * kDay), 330u);
}

TEST(HeldSilence, ASettledNetworkThatBreaksIsLearnedAnew) {
  HeldSilence silence(210, 600);
  for (int i = 0; i < 20; ++i) hold(silence, kHome, silence.granted_s(kHome, 0), 5);
  silence.broke(kHome, 700, 0);
  silence.broke(kHome, 700, 0);
  EXPECT_EQ(silence.granted_s(kHome, 0), 210u);
}

TEST(HeldSilence, ADeviceThatWasGivenUpCountsWhenItIsBackSoonFromTheSameNetwork) {
  for (const auto& [network, back_after_s, expected] :
       {std::tuple{kHome, 100u, 210u}, {kElsewhere, 100u, 270u}, {kHome, 1000u, 270u}}) {
    HeldSilence silence(210, 600);
    hold(silence, kHome, 210, 5);
    for (uint32_t i = 0; i < 2; ++i) {
      silence.gave_up(kDevice, kHome, 405, 0);
      silence.came(kDevice, network, back_after_s * kTicksPerSecond);
      silence.came(kDevice, network, back_after_s * kTicksPerSecond);  // once is once
    }
    EXPECT_EQ(silence.granted_s(kHome, back_after_s * kTicksPerSecond), expected);
  }
}

TEST(HeldSilence, CanBeSwitchedOff) {
  HeldSilence silence(0, 1800);
  silence.broke(kHome, 2000, 0);
  silence.gave_up(kDevice, kHome, 2000, 0);
  silence.came(kDevice, kHome, 0);
  EXPECT_EQ(silence.granted_s(kHome, 0), 1800u);
}

TEST(HeldSilence, NeverStartsAboveTheLongest) {
  EXPECT_EQ(HeldSilence(210, 60).granted_s(kHome, 0), 60u);
}

TEST(HeldSilence, ANewNetworkPushesOutTheOneAskedAboutLongestAgo) {
  HeldSilence silence(210, 600);
  for (uint32_t n = 0; n < 5; ++n) {
    const uint32_t name = 1 + n * 512;  // one place
    silence.granted_s(name, n);
    for (int i = 0; i < 5; ++i) silence.held(name, 210, n);
  }
  EXPECT_EQ(silence.granted_s(1 + 4 * 512, 5), 270u);
  EXPECT_EQ(silence.granted_s(1 + 1 * 512, 5), 270u);
  EXPECT_EQ(silence.granted_s(1, 5), 210u);
}

TEST(HeldSilence, ANetworkIsAPrefix) {
  EXPECT_EQ(network_of("192.0.2.1"), network_of("192.0.2.200"));
  EXPECT_NE(network_of("192.0.2.1"), network_of("192.0.3.1"));
  EXPECT_EQ(network_of("192.0.2.1"), network_of("::ffff:192.0.2.9"));
  EXPECT_EQ(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:3::1"));
  EXPECT_NE(network_of("2001:db8:1::1"), network_of("2001:db8:2::1"));
}

}  // namespace
}  // namespace selfconn
