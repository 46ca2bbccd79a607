#include "broker/storage/group_commit.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <semaphore>
#include <thread>

#include "broker/storage/memory/memory_journal.hpp"

namespace godwit {
namespace {

std::string record(std::string_view body) {
  std::string out;
  append_record(out, RecordType::accept, 0, body);
  return out;
}

// A journal whose appends wait until the test lets them, so that a queue can build up behind them.
class HeldJournal final : public Journal {
 public:
  Result<Opened> open() override { return inner.open(); }
  Appended append(std::string_view records, uint32_t count, WallMs now) override {
    entered.release();
    go.acquire();
    batches.push_back(count);
    return inner.append(records, count, now);
  }
  Result<void> read(uint64_t from, const Sink& sink) override { return inner.read(from, sink); }
  Result<void> trim(uint64_t before) override { return inner.trim(before); }
  std::vector<SegmentInfo> segments() const override { return inner.segments(); }

  MemoryJournal inner;
  std::counting_semaphore<> entered{0}, go{0};
  std::vector<uint32_t> batches;  // the writer's; read after stop()
};

struct Answer {
  Fate fate;
  RecordRef first;
};

class GroupCommitTest : public testing::Test {
 protected:
  GroupCommitTest() {
    EXPECT_TRUE(journal.open());
    EXPECT_TRUE(held.open());
  }

  // Submits one record and answers a future of its completion.
  static std::future<Answer> submit(GroupCommit& commit, std::string_view body, uint32_t count = 1) {
    std::string records;
    for (uint32_t i = 0; i < count; ++i) records += record(body);
    auto promise = std::make_shared<std::promise<Answer>>();
    auto answer = promise->get_future();
    EXPECT_TRUE(commit.submit(std::move(records), count, [promise](Fate f, RecordRef r) {
      promise->set_value({f, r});
    }));
    return answer;
  }
  static std::future<Answer> submit_lazy(GroupCommit& commit, std::string_view body) {
    auto promise = std::make_shared<std::promise<Answer>>();
    auto answer = promise->get_future();
    commit.submit_lazy(record(body), 1, [promise](Fate f, RecordRef r) { promise->set_value({f, r}); });
    return answer;
  }
  static bool is_ready(const std::future<Answer>& answer) {
    return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  static std::vector<std::string> bodies(Journal& journal) {
    std::vector<std::string> out;
    EXPECT_TRUE(journal.read(0, [&](RecordRef, const RecordView& r) { return out.emplace_back(r.body), true; }));
    return out;
  }

  ManualClock clock;
  MemoryJournal journal;
  HeldJournal held;
};

TEST_F(GroupCommitTest, ASubmittedRecordIsInTheJournalWhenItsCompletionRuns) {
  GroupCommit commit(journal, clock);
  const Answer answer = submit(commit, "hello").get();
  EXPECT_EQ(answer.fate, Fate::ok);
  EXPECT_EQ(answer.first, (RecordRef{0, 0}));
  EXPECT_EQ(bodies(journal), std::vector<std::string>{"hello"});
}

TEST_F(GroupCommitTest, WhatQueuesDuringACommitGoesTogetherAndEachKnowsItsPlace) {
  GroupCommit commit(held, clock);
  auto first = submit(commit, "a");
  held.entered.acquire();
  auto second = submit(commit, "b", 2), third = submit(commit, "c");
  held.go.release(2);
  EXPECT_EQ(first.get().first, (RecordRef{0, 0}));
  EXPECT_EQ(second.get().first, (RecordRef{1, 0}));
  EXPECT_EQ(third.get().first, (RecordRef{1, 2}));
  commit.stop();
  EXPECT_EQ(held.batches, (std::vector<uint32_t>{1, 3}));
}

TEST_F(GroupCommitTest, CompletionsRunInSubmitOrderOnOneThread) {
  GroupCommit commit(journal, clock);
  std::vector<int> order;
  std::thread::id writer;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(commit.submit(record("x"), 1, [&, i](Fate, RecordRef) {
      order.push_back(i);
      if (i == 0) writer = std::this_thread::get_id();
      EXPECT_EQ(writer, std::this_thread::get_id());
    }));
  }
  commit.stop();
  ASSERT_EQ(order.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(GroupCommitTest, ABatchKeepsToItsLimitsButAnOversizedSubmissionStillGoes) {
  GroupCommit commit(held, clock, {.max_batch_records = 3});
  auto first = submit(commit, "a");
  held.entered.acquire();
  for (const uint32_t count : {2u, 2u, 1u, 5u, 1u}) submit(commit, "b", count);
  held.go.release(5);
  commit.stop();
  EXPECT_EQ(held.batches, (std::vector<uint32_t>{1, 2, 3, 5, 1}));
}

TEST_F(GroupCommitTest, AFullQueueRefusesAndOpensAgainWhenItDrains) {
  const uint64_t one = record("12345").size();
  GroupCommit commit(held, clock, {.max_queued_bytes = 2 * one});
  auto first = submit(commit, "12345"), second = submit(commit, "12345");
  bool called = false;
  EXPECT_FALSE(commit.submit(record("12345"), 1, [&](Fate, RecordRef) { called = true; }));
  commit.submit_lazy(record("12345"), 1);  // admitted work is never refused
  EXPECT_EQ(commit.queued_bytes(), 3 * one);
  held.go.release(10);
  first.get(), second.get();
  commit.run_on_writer([](Journal&) {});
  commit.stop();
  EXPECT_EQ(commit.queued_bytes(), 0u);
  EXPECT_FALSE(called);
}

TEST_F(GroupCommitTest, ACompletionFindsTheRoomThatItsOwnBatchLeft) {
  const uint64_t one = record("12345").size();
  GroupCommit commit(journal, clock, {.max_queued_bytes = one});
  std::promise<bool> again;
  ASSERT_TRUE(commit.submit(record("12345"), 1, [&](Fate, RecordRef) {
    again.set_value(commit.submit(record("67890"), 1, [](Fate, RecordRef) {}));
  }));
  EXPECT_TRUE(again.get_future().get());
}

TEST_F(GroupCommitTest, LazyWorkRidesWithTheNextUrgentBatch) {
  GroupCommit commit(held, clock);
  held.go.release(10);
  auto lazy = submit_lazy(commit, "outcome");
  auto urgent = submit(commit, "accept");
  EXPECT_EQ(lazy.get().first, (RecordRef{0, 0}));
  EXPECT_EQ(urgent.get().first, (RecordRef{0, 1}));
  commit.stop();
  EXPECT_EQ(held.batches, (std::vector<uint32_t>{2}));
}

TEST_F(GroupCommitTest, LazyWorkAloneGoesAfterFiveMilliseconds) {
  GroupCommit commit(journal, clock);
  auto lazy = submit_lazy(commit, "outcome");
  clock.advance_ms(4);
  std::promise<void> looked;  // the writer has looked at its queue at 4 ms and let it wait
  commit.run_on_writer([&](Journal&) { looked.set_value(); });
  looked.get_future().wait();
  EXPECT_FALSE(is_ready(lazy));
  clock.advance_ms(1);
  EXPECT_EQ(lazy.get().fate, Fate::ok);
}

TEST_F(GroupCommitTest, LazyWorkThatFillsABatchDoesNotWait) {
  GroupCommit commit(journal, clock, {.max_batch_records = 4});
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 4; ++i) answers.push_back(submit_lazy(commit, "outcome"));
  for (auto& answer : answers) EXPECT_EQ(answer.get().fate, Fate::ok);
}

TEST_F(GroupCommitTest, AFailedBatchAnswersFailedAndTheNextOneWorks) {
  GroupCommit commit(journal, clock);
  journal.fail_next_append(AppendFault::failed);
  EXPECT_EQ(submit(commit, "no space").get().fate, Fate::failed);
  EXPECT_FALSE(commit.poisoned());
  EXPECT_EQ(submit(commit, "space").get().fate, Fate::ok);
  EXPECT_EQ(bodies(journal), std::vector<std::string>{"space"});
}

TEST_F(GroupCommitTest, AnUnknownFatePoisonsAndEveryLaterCompletionStillRuns) {
  for (const AppendFault fault : {AppendFault::unknown_lost, AppendFault::unknown_kept}) {
    MemoryJournal poisoned;
    ASSERT_TRUE(poisoned.open());
    GroupCommit commit(poisoned, clock);
    poisoned.fail_next_append(fault);
    EXPECT_EQ(submit(commit, "a").get().fate, Fate::unknown);
    EXPECT_TRUE(commit.poisoned());
    EXPECT_EQ(submit(commit, "b").get().fate, Fate::unknown);
    EXPECT_EQ(submit_lazy(commit, "c").wait_for(std::chrono::seconds(0)), std::future_status::timeout);
    commit.stop();
    ASSERT_TRUE(poisoned.open()) << "a restart";
    EXPECT_EQ(bodies(poisoned).size(), fault == AppendFault::unknown_kept ? 1u : 0u);
  }
}

TEST_F(GroupCommitTest, StopCommitsTheRestThenRefuses) {
  GroupCommit commit(held, clock);
  auto first = submit(commit, "a");
  held.entered.acquire();
  auto second = submit(commit, "b");
  auto lazy = submit_lazy(commit, "c");
  held.go.release(10);
  commit.stop();
  commit.stop();
  EXPECT_EQ(first.get().fate, Fate::ok);
  EXPECT_EQ(second.get().fate, Fate::ok);
  EXPECT_EQ(lazy.get().fate, Fate::ok);
  EXPECT_FALSE(commit.submit(record("late"), 1, [](Fate, RecordRef) { FAIL(); }));
  EXPECT_EQ(submit_lazy(commit, "late").get().fate, Fate::failed) << "lost facts are said to be lost";
  EXPECT_EQ(bodies(held), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(GroupCommitTest, LazyWorkFromTheLastCompletionIsStillCommitted) {
  GroupCommit commit(journal, clock);
  Fate outcome = Fate::failed;
  ASSERT_TRUE(commit.submit(record("accept"), 1, [&](Fate, RecordRef) {
    commit.submit_lazy(record("outcome"), 1, [&](Fate fate, RecordRef) { outcome = fate; });
  }));
  commit.stop();
  EXPECT_EQ(outcome, Fate::ok);
  EXPECT_EQ(bodies(journal), (std::vector<std::string>{"accept", "outcome"}));
}

TEST_F(GroupCommitTest, AJobRunsBetweenTwoBatchesOnTheWriter) {
  GroupCommit commit(held, clock);
  auto first = submit(commit, "a");
  held.entered.acquire();
  auto second = submit(commit, "b");
  uint64_t head_seen = 99;
  commit.run_on_writer([&](Journal& j) { head_seen = j.segments().back().end_offset; });
  held.go.release(2);
  first.get(), second.get();
  commit.stop();
  EXPECT_EQ(head_seen, 1u) << "after the batch that was under way, before the one that waited";
}

TEST_F(GroupCommitTest, TheObserverSeesEveryCommit) {
  GroupCommit commit(journal, clock);
  std::vector<std::pair<uint32_t, Fate>> seen;
  commit.on_commit([&](double seconds, uint32_t records, Fate fate) {
    EXPECT_GE(seconds, 0);
    seen.emplace_back(records, fate);
  });
  journal.fail_next_append(AppendFault::failed);
  submit(commit, "a", 2).get();
  submit(commit, "b").get();
  commit.stop();
  EXPECT_EQ(seen, (std::vector<std::pair<uint32_t, Fate>>{{2, Fate::failed}, {1, Fate::ok}}));
}

// The promise that everything else stands on: whatever fails, each completion runs once, and ok means in the journal.
TEST_F(GroupCommitTest, UnderFaultsFromManyThreadsEveryCompletionRunsOnceAndNoOkIsFalse) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    MemoryJournal faulty(4096);
    ASSERT_TRUE(faulty.open());
    faulty.fail_by_seed(seed, {.failed = 0.1, .unknown_lost = 0.005, .unknown_kept = 0.005});
    constexpr int kThreads = 4, kEach = 500;
    std::vector<std::atomic<int>> calls(kThreads * kEach);
    std::vector<std::atomic<bool>> ok(kThreads * kEach), refused(kThreads * kEach);
    {
      GroupCommit commit(faulty, clock, {.max_queued_bytes = 2000});
      std::vector<std::thread> threads;
      for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
          for (int i = t * kEach; i < (t + 1) * kEach; ++i) {
            const auto done = [&, i](Fate fate, RecordRef) { ++calls[i], ok[i] = fate == Fate::ok; };
            if (i % 5 == 0) {
              commit.submit_lazy(record(std::to_string(i)), 1, done);
            } else {
              refused[i] = !commit.submit(record(std::to_string(i)), 1, done);
            }
          }
        });
      }
      for (auto& thread : threads) thread.join();
    }
    ASSERT_TRUE(faulty.open());
    std::vector<int> found(calls.size());
    for (const std::string& body : bodies(faulty)) ++found[std::stoul(body)];
    for (size_t i = 0; i < calls.size(); ++i) {
      ASSERT_EQ(calls[i], refused[i] ? 0 : 1) << "seed " << seed << " submission " << i;
      ASSERT_LE(found[i], 1) << "seed " << seed;
      ASSERT_FALSE(ok[i] && found[i] == 0) << "acknowledged and lost: seed " << seed << " submission " << i;
    }
  }
}

}  // namespace
}  // namespace godwit
