#include "broker/channels/lane.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "broker/channels/timers.hpp"

namespace godwit::channels {
namespace {

using ::testing::ElementsAre;

class NotingOwner final : public Lane::Owner {
 public:
  void task_ended(const char*, MonoNs, bool) override { ++ended; }
  void task_slow(const char* what, MonoNs) override { note(what, " slow"); }
  void task_hung(const char* what, MonoNs) override { note(what, " hung"); }
  void task_came_back(const char* what, MonoNs) override { note(what, " back"); }
  std::vector<std::string> notes() {
    std::lock_guard lock(mutex_);
    return notes_;
  }
  std::atomic<int> ended{0};

 private:
  void note(const char* what, const char* event) {
    std::lock_guard lock(mutex_);
    notes_.push_back(std::string(what) + event);
  }
  std::mutex mutex_;
  std::vector<std::string> notes_;
};

// Waits until everything that was posted so far has run.
void finish(Lane& lane) {
  std::promise<void> done;
  ASSERT_TRUE(lane.post("finish", [&] { done.set_value(); }));
  done.get_future().wait();
}

class LaneTest : public ::testing::Test {
 protected:
  ManualClock clock;
  NotingOwner owner;
  WorkerPool pool{"lane", 3};
};

TEST_F(LaneTest, RunsTasksOneAtATimeInTheirOrder) {
  Lane lane(pool, clock, owner);
  std::vector<int> seen;  // no lock: the lane is one
  std::atomic<int> inside{0};
  for (int i = 0; i < 1000; ++i)
    lane.post("task", [&, i] {
      EXPECT_EQ(++inside, 1);
      EXPECT_TRUE(lane.inside());
      seen.push_back(i);
      --inside;
    });
  finish(lane);
  ASSERT_EQ(seen.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
  EXPECT_FALSE(lane.inside());
  pool.stop(std::chrono::seconds(10));
}

TEST_F(LaneTest, TakesPostsFromManyThreadsAndFromItself) {
  Lane lane(pool, clock, owner);
  int count = 0;
  std::vector<std::thread> posters;
  for (int t = 0; t < 4; ++t)
    posters.emplace_back([&] {
      for (int i = 0; i < 500; ++i) lane.post("outer", [&] { lane.post("inner", [&] { ++count; }); });
    });
  for (std::thread& t : posters) t.join();
  finish(lane);
  finish(lane);  // the inner ones of the last outer ones
  EXPECT_EQ(count, 2000);
  pool.stop(std::chrono::seconds(10));
}

TEST_F(LaneTest, RefusesPostsOnceClosedButRunsWhatIsQueued) {
  Lane lane(pool, clock, owner);
  std::promise<void> go;
  bool ran = false;
  lane.post("first", [&] { go.get_future().wait(); });
  lane.post("second", [&] { ran = true; });
  lane.close();
  EXPECT_FALSE(lane.post("third", [] { FAIL(); }));
  go.set_value();
  pool.stop(std::chrono::seconds(10));
  EXPECT_TRUE(ran);
}

TEST_F(LaneTest, NamesATaskThatHoldsIt) {
  Lane lane(pool, clock, owner);
  std::promise<void> inside, go;
  lane.post("submit", [&] {
    inside.set_value();
    go.get_future().wait();
  });
  inside.get_future().wait();
  lane.watch(clock.mono_ns());
  EXPECT_TRUE(owner.notes().empty());
  clock.advance_ms(1000);
  lane.watch(clock.mono_ns());
  lane.watch(clock.mono_ns());
  EXPECT_THAT(owner.notes(), ElementsAre("submit slow"));
  clock.advance_ms(29'000);
  lane.watch(clock.mono_ns());
  lane.watch(clock.mono_ns());
  EXPECT_THAT(owner.notes(), ElementsAre("submit slow", "submit hung"));
  go.set_value();
  finish(lane);
  EXPECT_THAT(owner.notes(), ElementsAre("submit slow", "submit hung", "submit back"));
  pool.stop(std::chrono::seconds(10));
}

TEST(WorkerPool, PutsASpareInThePlaceOfAThreadThatIsHeld) {
  WorkerPool pool("lane", 1);
  std::promise<void> held, go, other;
  pool.post([&] {
    held.set_value();
    go.get_future().wait();
    pool.unstuck();
  });
  held.get_future().wait();
  pool.stuck();
  pool.post([&] { other.set_value(); });
  other.get_future().wait();  // would wait for ever with one thread
  go.set_value();
  EXPECT_TRUE(pool.stop(std::chrono::seconds(10)));
}

TEST(WorkerPool, LeavesAHeldThreadBehindWhenItStops) {
  auto go = std::make_shared<std::promise<void>>();  // outlives the pool, as what a plugin touches must
  auto gone = std::make_shared<std::promise<void>>();
  std::future<void> ended = gone->get_future();
  {
    WorkerPool pool("lane", 1);
    pool.post([go, gone] {
      go->get_future().wait();
      gone->set_value();
    });
    EXPECT_FALSE(pool.stop(std::chrono::milliseconds(20)));
  }
  go->set_value();
  ended.wait();
}

TEST(Timers, FireInTheOrderOfTheirTimes) {
  ManualClock clock;
  Timers timers(clock, true);
  std::vector<int> fired;
  const MonoNs now = clock.mono_ns();
  timers.arm(now + 30 * kNsPerMs, [&] { fired.push_back(3); });
  timers.arm(now + 10 * kNsPerMs, [&] { fired.push_back(1); });
  const uint64_t second = timers.arm(now + 20 * kNsPerMs, [&] { fired.push_back(2); });
  timers.run_due();
  EXPECT_TRUE(fired.empty());
  EXPECT_TRUE(timers.cancel(second));
  EXPECT_FALSE(timers.cancel(second));
  clock.advance_ms(30);
  timers.run_due();
  EXPECT_THAT(fired, ElementsAre(1, 3));
}

TEST(Timers, RepeatWithoutStarvingOthers) {
  ManualClock clock;
  Timers timers(clock, true);
  int ticks = 0, once = 0;
  timers.every(0, [&] { ++ticks; });
  timers.arm(clock.mono_ns(), [&] { ++once; });
  clock.advance_ms(1);
  timers.run_due();
  timers.run_due();
  EXPECT_EQ(ticks, 2);
  EXPECT_EQ(once, 1);
}

TEST(Timers, FireOnTheirOwnThreadWithARealClock) {
  SystemClock clock;
  Timers timers(clock, false);
  std::promise<void> fired;
  timers.arm(clock.mono_ns() + 2 * kNsPerMs, [&] { fired.set_value(); });
  EXPECT_EQ(fired.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

}  // namespace
}  // namespace godwit::channels
