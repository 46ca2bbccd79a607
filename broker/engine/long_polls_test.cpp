#include "broker/engine/long_polls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/engine/timer_kind.hpp"

namespace godwit::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class LongPollsTest : public testing::Test {
 protected:
  void add(DeviceNo device, uint64_t after, MonoNs until) { polls.add({device, after, 10, {}}, until); }
  // The cursors of those that were taken, in order.
  static std::vector<uint64_t> cursors(const std::vector<LongPoll>& taken) {
    std::vector<uint64_t> out;
    for (const LongPoll& poll : taken) out.push_back(poll.after);
    return out;
  }
  std::vector<uint64_t> expired_at(MonoNs now) {
    std::vector<uint64_t> out;
    timers.advance(now, [&](uint32_t payload) {
      EXPECT_EQ(timer_kind(payload), TimerKind::inbox);
      out.push_back(polls.take_expired(timer_ix(payload)).after);
    });
    return out;
  }
  planner::TimerWheel timers{0};
  LongPolls polls{timers};
};

TEST_F(LongPollsTest, AMessageTakesAllThatItsDeviceWaitsWith) {
  add(7, 1, kNsPerSecond);
  add(8, 2, kNsPerSecond);
  add(7, 3, kNsPerSecond);
  EXPECT_THAT(cursors(polls.take(7)), ElementsAre(1, 3));
  EXPECT_THAT(polls.take(7), IsEmpty());
  EXPECT_FALSE(polls.empty());
  EXPECT_EQ(timers.size(), 1u) << "who was answered must not be answered again when the time is over";
}

TEST_F(LongPollsTest, EachIsTakenWhenItsOwnTimeIsOver) {
  add(7, 1, 2 * kNsPerSecond);
  add(7, 2, 1 * kNsPerSecond);
  EXPECT_THAT(expired_at(kNsPerSecond * 3 / 2), ElementsAre(2));
  EXPECT_THAT(expired_at(kNsPerSecond * 5 / 2), ElementsAre(1));
  EXPECT_TRUE(polls.empty());
}

TEST_F(LongPollsTest, TheEndTakesEverybody) {
  add(7, 1, kNsPerSecond);
  add(8, 2, kNsPerSecond);
  add(8, 3, kNsPerSecond);
  EXPECT_THAT(polls.take_all(), SizeIs(3));
  EXPECT_TRUE(polls.empty());
  EXPECT_EQ(timers.size(), 0u);
}

}  // namespace
}  // namespace godwit::engine
