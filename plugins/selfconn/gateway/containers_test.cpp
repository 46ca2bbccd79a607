// The small structures under the gateway: slab, timer wheel, device index, connect rate.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "plugins/selfconn/gateway/connect_rate.hpp"
#include "plugins/selfconn/gateway/device_index.hpp"
#include "plugins/selfconn/gateway/slab.hpp"
#include "plugins/selfconn/gateway/timer_wheel.hpp"

namespace selfconn {
namespace {

struct Record {
  uint32_t generation = 0, next_free = kNone;
  uint32_t alarm_tick = kNone, alarm_prev = kNone, alarm_next = kNone;
  int value = 0;
  void reset() { value = 0; }
};

TEST(Slab, ReusesRecordsUnderANewGeneration) {
  Slab<Record, 2> slab;
  const uint32_t a = slab.take();
  const uint32_t generation = slab[a].generation;
  slab[a].value = 7;
  EXPECT_EQ(slab.find(a, generation), &slab[a]);
  slab.release(a);
  EXPECT_EQ(slab.find(a, generation), nullptr) << "a late event must not reach the next user";
  EXPECT_EQ(slab.take(), a);
  EXPECT_EQ(slab[a].value, 0);
  EXPECT_EQ(slab.find(99, 0), nullptr);
}

TEST(Slab, GrowsWithoutMovingRecords) {
  Slab<Record, 2> slab;
  Record* first = &slab[slab.take()];
  for (int i = 0; i < 100; ++i) slab.take();
  EXPECT_EQ(first, &slab[0]);
  EXPECT_EQ(slab.used(), 101u);
}

struct Wheel : ::testing::Test {
  Slab<Record> slab;
  TimerWheel<Record> wheel{slab};
  std::vector<uint32_t> fired;

  std::vector<uint32_t> advance(uint32_t to) {
    fired.clear();
    wheel.advance(to, [this](uint32_t index) { fired.push_back(index); });
    std::sort(fired.begin(), fired.end());
    return fired;
  }
};

TEST_F(Wheel, FiresEachAlarmAtItsTick) {
  const uint32_t a = slab.take(), b = slab.take(), c = slab.take();
  wheel.set(a, 5);
  wheel.set(b, 5);
  wheel.set(c, 6);
  EXPECT_TRUE(advance(4).empty());
  EXPECT_EQ(advance(5), (std::vector<uint32_t>{a, b}));
  EXPECT_EQ(advance(6), std::vector<uint32_t>{c});
  EXPECT_TRUE(advance(10'000).empty());
}

TEST_F(Wheel, ClearedAndMovedAlarmsDoNotFireAtTheOldTick) {
  const uint32_t a = slab.take(), b = slab.take(), c = slab.take();
  for (uint32_t i : {a, b, c}) wheel.set(i, 5);
  wheel.clear(b);
  wheel.set(c, 9);
  EXPECT_EQ(advance(8), std::vector<uint32_t>{a});
  EXPECT_EQ(advance(9), std::vector<uint32_t>{c});
}

TEST_F(Wheel, SetNoLaterOnlyMovesForward) {
  const uint32_t a = slab.take();
  wheel.set_no_later(a, 9);
  wheel.set_no_later(a, 20);
  EXPECT_EQ(slab[a].alarm_tick, 9u);
  wheel.set_no_later(a, 3);
  EXPECT_EQ(advance(3), std::vector<uint32_t>{a});
}

TEST_F(Wheel, TicksThatAreOverFireAtTheNext) {
  advance(100);
  const uint32_t a = slab.take();
  wheel.set(a, 50);
  EXPECT_EQ(advance(101), std::vector<uint32_t>{a});
}

TEST_F(Wheel, AlarmsBeyondTheHorizonFireAtIt) {
  const uint32_t a = slab.take();
  wheel.set(a, 100'000);
  EXPECT_TRUE(advance(4'094).empty());
  EXPECT_EQ(advance(4'095), std::vector<uint32_t>{a});
}

TEST_F(Wheel, AJumpOfTheClockFiresEverythingOnce) {
  for (uint32_t i = 1; i <= 1000; ++i) wheel.set(slab.take(), i * 4);
  EXPECT_EQ(advance(4'000'000).size(), 1000u);
}

TEST_F(Wheel, FiringMaySetTheSameAlarmAgain) {
  const uint32_t a = slab.take();
  wheel.set(a, 2);
  int count = 0;
  wheel.advance(10, [&](uint32_t index) {
    ++count;
    wheel.set(index, wheel.now() + 2);
  });
  EXPECT_EQ(count, 5);
}

TEST(DeviceIndex, AgreesWithAMapOverRandomInsertsAndErases) {
  DeviceIndex index;
  std::map<uint32_t, uint32_t> truth;  // record -> tag
  std::mt19937 random(7);
  for (int step = 0; step < 20'000; ++step) {
    const uint32_t record = random() % 2'000;
    const uint32_t tag = random() % 97;  // many collisions on purpose
    const auto known = truth.find(record);
    if (known == truth.end()) {
      index.insert(tag, record);
      truth[record] = tag;
    } else {
      EXPECT_FALSE(index.erase(known->second, record + 2'000));
      EXPECT_TRUE(index.erase(known->second, record));
      truth.erase(known);
    }
  }
  EXPECT_EQ(index.size(), truth.size());
  for (const auto& [record, tag] : truth) EXPECT_EQ(index.find(tag, [&](uint32_t r) { return r == record; }), record);
  EXPECT_EQ(index.find(5, [](uint32_t) { return false; }), kNone);
}

sockaddr_storage v4(uint32_t address) {
  sockaddr_storage storage{};
  auto& in = reinterpret_cast<sockaddr_in&>(storage);
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(address);
  return storage;
}

TEST(ConnectRate, AllowsABurstThenTheRate) {
  ConnectRate rate(10);
  const uint64_t a = ConnectRate::key_of(v4(0x7F000001));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(rate.allow(a, 1'000)) << i;
  EXPECT_FALSE(rate.allow(a, 1'000));
  EXPECT_TRUE(rate.allow(a, 1'100));
  EXPECT_FALSE(rate.allow(a, 1'100));
}

TEST(ConnectRate, AddressesDoNotShareABucket) {
  ConnectRate rate(1);
  for (uint32_t i = 0; i < 100; ++i) EXPECT_TRUE(rate.allow(ConnectRate::key_of(v4(i)), 0));
}

TEST(ConnectRate, ZeroMeansNoLimit) {
  ConnectRate rate(0);
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(rate.allow(1, 0));
}

TEST(ConnectRate, Ipv6CountsByNetworkAndMappedAddressesAsIpv4) {
  sockaddr_storage a{}, b{}, mapped{};
  for (auto* s : {&a, &b, &mapped}) s->ss_family = AF_INET6;
  auto bytes = [](sockaddr_storage& s) { return reinterpret_cast<sockaddr_in6&>(s).sin6_addr.s6_addr; };
  bytes(a)[0] = bytes(b)[0] = 0x20;
  bytes(b)[15] = 1;
  EXPECT_EQ(ConnectRate::key_of(a), ConnectRate::key_of(b));
  bytes(mapped)[10] = bytes(mapped)[11] = 0xFF;
  bytes(mapped)[12] = 127, bytes(mapped)[15] = 1;
  EXPECT_EQ(ConnectRate::key_of(mapped), ConnectRate::key_of(v4(0x7F000001)));
}

}  // namespace
}  // namespace selfconn
