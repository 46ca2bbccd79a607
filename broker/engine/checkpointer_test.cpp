#include "broker/engine/checkpointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "broker/engine/catalogue_keys.hpp"
#include "broker/engine/engine_rig.hpp"

namespace godwit::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CheckpointerTest : public testing::Test {
 protected:
  CheckpointerTest() { EXPECT_TRUE(journal.open()); }
  // Everything that was asked of the engine's thread, of the background and of the ledger happens now.
  void settle_down() {
    while (!posted.empty()) {
      Callback<void()> job = std::move(posted.front());
      posted.pop_front();
      job();
    }
  }
  void change_a_device() {
    Device d;
    d.app = "shop";
    d.id = "d" + std::to_string(++devices);
    ASSERT_TRUE(registry.apply(registry_record::put(d, clock.wall_ms()), static_cast<uint64_t>(devices)));
  }
  std::string replay_from() { return catalogue.get_value(kReplayFromKey)->value_or("none"); }

  ManualClock clock;
  MemoryJournal journal;
  MemoryCatalogue catalogue;
  ManualLedger ledger{journal, clock};
  EngineOptions options;
  EngineParts parts{clock, journal, ledger, catalogue, {}};
  EngineStats stats;
  Registry registry;
  routing::Router router{routing::Options{}};
  MessageBook book;
  std::deque<Callback<void()>> posted;
  int flushes = 0, devices = 0;
  const SlowJobs::Run post = [this](Callback<void()> job) { posted.push_back(std::move(job)); };
  SlowJobs jobs{post, post};
  Checkpointer checkpointer{
      options, parts, stats, registry,
      router,  book,  jobs,  {post, [this] { ++flushes; }, [](const MessageEntry&, std::string&) {}}};
};

TEST_F(CheckpointerTest, BeginsWhenTheTimeHasComeOrMuchHasBeenWrittenAndNotForNothing) {
  const MonoNs now = kNsPerSecond, every = options.checkpoint_every_ms * kNsPerMs;
  checkpointer.look(now);
  checkpointer.look(now + every);
  settle_down();
  EXPECT_EQ(stats.checkpoints.value(), 0u) << "nothing has happened";
  checkpointer.grown(1);
  checkpointer.look(now + every + 1);
  settle_down();
  EXPECT_EQ(stats.checkpoints.value(), 0u) << "it is not time yet";
  checkpointer.look(now + 2 * every);
  settle_down();
  EXPECT_EQ(stats.checkpoints.value(), 1u);
  checkpointer.grown(options.checkpoint_every_bytes);
  checkpointer.look(now + 2 * every + 1);
  settle_down();
  EXPECT_EQ(stats.checkpoints.value(), 2u);
}

TEST_F(CheckpointerTest, WhoAsksWhileOneRunsIsAnsweredByTheNextOne) {
  std::vector<int> answered;
  checkpointer.begin([&] { answered.push_back(1); });
  change_a_device();  // the one that runs may have passed it
  checkpointer.begin([&] { answered.push_back(2); });
  checkpointer.begin([&] { answered.push_back(3); });
  EXPECT_THAT(answered, IsEmpty());
  settle_down();
  EXPECT_THAT(answered, ElementsAre(1, 2, 3));
  EXPECT_EQ(stats.checkpoints.value(), 2u);
  EXPECT_EQ(registry.dirty(), 0u);
}

TEST_F(CheckpointerTest, ACatalogueThatFailsLeavesTheOldPositionAndTheRowsDirty) {
  checkpointer.begin({});
  settle_down();
  const std::string before = replay_from();
  change_a_device();
  catalogue.fail_next_writes(1);
  bool answered = false;
  checkpointer.begin([&] { answered = true; });
  settle_down();
  EXPECT_TRUE(answered);
  EXPECT_EQ(registry.dirty(), 1u);
  EXPECT_EQ(replay_from(), before);
  checkpointer.begin({});
  settle_down();
  EXPECT_EQ(registry.dirty(), 0u);
  EXPECT_NE(replay_from(), before);
}

}  // namespace
}  // namespace godwit::engine
