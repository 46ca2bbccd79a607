#include "broker/planner/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "broker/base/random.hpp"

namespace godwit::planner {
namespace {

constexpr MonoNs kMs = kNsPerMs;

TEST(TimerWheel, FiresWhenDueAndNotBefore) {
  TimerWheel wheel(kNsPerSecond);
  int fired = 0;
  wheel.arm(kNsPerSecond + 500 * kMs, 7);
  const auto fire = [&](uint32_t payload) { fired += payload == 7 ? 1 : 100; };
  wheel.advance(kNsPerSecond + 499 * kMs, fire);
  EXPECT_EQ(fired, 0);
  wheel.advance(kNsPerSecond + 520 * kMs, fire);
  EXPECT_EQ(fired, 1);
  wheel.advance(100 * kNsPerSecond, fire);
  EXPECT_EQ(fired, 1);
}

TEST(TimerWheel, ACancelledTimerNeverFires) {
  TimerWheel wheel(0);
  auto a = wheel.arm(100 * kMs, 1);
  auto b = wheel.arm(100 * kMs, 2);
  auto c = wheel.arm(100 * kMs, 3);
  wheel.cancel(b);
  EXPECT_EQ(b, TimerWheel::kNone);
  std::vector<uint32_t> fired;
  wheel.advance(kNsPerSecond, [&](uint32_t p) {
    fired.push_back(p);
    wheel.cancel(p == 1 ? c : a);  // one that is due in the same tick
  });
  EXPECT_EQ(fired.size(), 1u);
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(TimerWheel, FiringMayArmAgain) {
  TimerWheel wheel(0);
  int fired = 0;
  std::function<void(uint32_t)> fire = [&](uint32_t) {
    if (++fired < 5) wheel.arm(fired * 100 * kMs + 100 * kMs, 0);
  };
  wheel.arm(100 * kMs, 0);
  for (int i = 1; i <= 100; ++i) wheel.advance(i * 20 * kMs, fire);
  EXPECT_EQ(fired, 5);
}

TEST(TimerWheel, SaysUntilWhenNothingCanHappen) {
  TimerWheel wheel(0);
  EXPECT_EQ(wheel.quiet_until(), INT64_MAX);
  wheel.arm(1'000 * kMs, 1);
  EXPECT_GT(wheel.quiet_until(), 900 * kMs);
  EXPECT_LE(wheel.quiet_until(), 1'020 * kMs);
}

// Its timers know their ticks by 32 bits, which a machine that is up for two years has counted through.
TEST(TimerWheel, FiresInTimeWhenItsTicksBeginAnew) {
  const MonoNs kAround = (1ll << 32) * TimerWheel::kTickNs;
  TimerWheel wheel(kAround - kNsPerSecond);
  int fired = 0;
  for (const MonoNs later : {kNsPerSecond / 2, 2 * kNsPerSecond, 3600 * kNsPerSecond, 30 * 86'400 * kNsPerSecond})
    wheel.arm(kAround + later, 1);
  const auto fire = [&](uint32_t) { ++fired; };
  wheel.advance(kAround + kNsPerSecond / 4, fire);
  EXPECT_EQ(fired, 0);
  wheel.advance(kAround + kNsPerSecond, fire);
  EXPECT_EQ(fired, 1);
  wheel.advance(kAround + 3 * kNsPerSecond, fire);
  EXPECT_EQ(fired, 2);
  wheel.advance(kAround + 3599 * kNsPerSecond, fire);
  EXPECT_EQ(fired, 2);
  wheel.advance(kAround + 3601 * kNsPerSecond, fire);
  EXPECT_EQ(fired, 3);
  wheel.advance(kAround + 30 * 86'399 * kNsPerSecond, fire);
  EXPECT_EQ(fired, 3);
  wheel.advance(kAround + 31 * 86'400 * kNsPerSecond, fire);
  EXPECT_EQ(fired, 4);
}

TEST(TimerWheel, FiresAfterAYearWhatIsDueLater) {
  TimerWheel wheel(0);
  int fired = 0;
  const auto fire = [&](uint32_t) { ++fired; };
  constexpr MonoNs kDay = 86'400 * kNsPerSecond;
  wheel.arm(1'000 * kDay, 1);
  wheel.advance(365 * kDay, fire);
  EXPECT_EQ(fired, 0);
  wheel.advance(400 * kDay, fire);
  EXPECT_EQ(fired, 1);
}

TEST(TimerWheel, AgreesWithASortedMapUnderAnyOrder) {
  Random random(11);
  MonoNs now = 5 * kNsPerSecond;
  TimerWheel wheel(now);
  struct Timer {
    TimerWheel::Id id;
    MonoNs due;
  };
  std::map<uint32_t, Timer> model;
  uint32_t next = 1;
  for (int round = 0; round < 20'000; ++round) {
    const uint64_t spread[] = {100, 5'000, 3'600'000, 100'000'000'000};
    for (uint64_t i = random.below(4); i > 0; --i) {
      const MonoNs due = now + static_cast<MonoNs>(random.below(spread[random.below(4)])) * kMs;
      model[next] = {wheel.arm(due, next), due};
      ++next;
    }
    if (!model.empty() && random.below(3) == 0) {
      auto it = model.lower_bound(static_cast<uint32_t>(random.below(next)));
      if (it != model.end()) {
        wheel.cancel(it->second.id);
        model.erase(it);
      }
    }
    now += static_cast<MonoNs>(random.below(random.below(50) == 0 ? 10'000'000 : 300)) * kMs;
    wheel.advance(now, [&](uint32_t p) {
      ASSERT_TRUE(model.count(p));
      EXPECT_LE(model[p].due, now);
      model.erase(p);
    });
    ASSERT_EQ(wheel.size(), model.size());
    if (round % 100 != 0) continue;
    for (const auto& [p, timer] : model) ASSERT_GT(timer.due, now - TimerWheel::kTickNs);
  }
}

}  // namespace
}  // namespace godwit::planner
