// Repeated requests: the first answer again, whatever the moment.
#include "broker/intake/intake.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "broker/message/records.hpp"

namespace godwit::intake {
namespace {

constexpr int64_t kHour = 3'600'000;

// Keeps what is submitted until the test decides its fate.
class HeldLedger final : public Ledger {
 public:
  bool submit(std::string records, uint32_t count, Committed done) override {
    if (full) return false;
    waiting.push_back(std::move(done));
    written += count;
    bytes += records;
    return true;
  }
  void submit_lazy(std::string, uint32_t, Committed) override {}
  void run_on_writer(Callback<void(Journal&)>) override {}
  bool poisoned() const override { return false; }
  uint64_t queued_bytes() const override { return 0; }
  void decide(Fate fate) {
    while (!waiting.empty()) {
      Committed done = std::move(waiting.front());
      waiting.pop_front();
      done(fate, {100, 7});
    }
  }
  std::deque<Committed> waiting;
  std::string bytes;
  uint32_t written = 0;
  bool full = false;
};

class IntakeTest : public testing::Test {
 protected:
  // Plays the engine: every fresh message is planned for three devices.
  void finish(const BatchPtr& batch) {
    stats.accepts_on_their_way.drop_shared(batch->fresh.size());
    for (auto& fresh : batch->fresh) {
      const Hash128 key = fresh.message->idempotency_key;
      Result<AcceptAnswer> result = AcceptAnswer{fresh.message->id, false, 3, DeliveryState::planned};
      if (batch->fate != Fate::ok) result = Intake::error_of(*batch);
      positions.push_back(fresh.position);
      batch->resolve(fresh.index, result);
      if (key == Hash128{}) continue;
      auto waiters = result ? intake.keys().answered(key, *result) : intake.keys().forget(key);
      for (auto& waiter : waiters) waiter(result);
    }
    batch->release();
  }
  static MessageDraft draft(const std::string& key, const std::string& content = "{}",
                            const std::string& app = "shop") {
    MessageDraft d;
    d.message.app = app;
    d.message.to = {AudienceKind::user, "", {"u"}};
    d.message.content = content;
    d.idempotency_key = key;
    return d;
  }
  // The answers of a call, empty until it is answered.
  std::shared_ptr<std::vector<Result<AcceptAnswer>>> accept(std::vector<MessageDraft> drafts) {
    auto out = std::make_shared<std::vector<Result<AcceptAnswer>>>();
    intake.accept(std::move(drafts), [out](std::vector<Result<AcceptAnswer>> r) { *out = std::move(r); });
    return out;
  }
  std::shared_ptr<std::vector<Result<AcceptAnswer>>> accept_one(MessageDraft d) {
    std::vector<MessageDraft> drafts;
    drafts.push_back(std::move(d));
    return accept(std::move(drafts));
  }

  IntakeLimits limits;
  ManualClock clock;
  HeldLedger ledger;
  IntakeStats stats;
  std::vector<uint64_t> positions;
  Intake intake{limits, clock, ledger, stats, [this](BatchPtr batch) { finish(batch); }};
};

TEST_F(IntakeTest, TheSameKeyAnswersTheFirstAnswerAgain) {
  const auto first = accept_one(draft("k"));
  ledger.decide(Fate::ok);
  clock.advance_ms(23 * kHour);
  const auto again = accept_one(draft("k"));
  ASSERT_EQ(again->size(), 1u);
  EXPECT_EQ((*again)[0]->id, (*first)[0]->id);
  EXPECT_TRUE((*again)[0]->repeated);
  EXPECT_EQ((*again)[0]->recipients, 3u);
  EXPECT_EQ(ledger.written, 1u);
}

TEST_F(IntakeTest, ARepeatDuringTheFirstWriteWaitsForItsAnswer) {
  const auto first = accept_one(draft("k"));
  const auto again = accept_one(draft("k"));
  EXPECT_TRUE(again->empty());
  ledger.decide(Fate::ok);
  ASSERT_EQ(again->size(), 1u);
  EXPECT_EQ((*again)[0]->id, (*first)[0]->id);
  EXPECT_TRUE((*again)[0]->repeated);
}

TEST_F(IntakeTest, ARepeatInsideOneCallIsAcceptedOnce) {
  std::vector<MessageDraft> drafts;
  drafts.push_back(draft("k"));
  drafts.push_back(draft("k"));
  drafts.push_back(draft(""));
  const auto answers = accept(std::move(drafts));
  ledger.decide(Fate::ok);
  ASSERT_EQ(answers->size(), 3u);
  EXPECT_EQ((*answers)[0]->id, (*answers)[1]->id);
  EXPECT_TRUE((*answers)[1]->repeated);
  EXPECT_EQ(ledger.written, 2u);
}

TEST_F(IntakeTest, TheSameKeyWithAnotherBodyIsAConflict) {
  accept_one(draft("k"));
  const auto during = accept_one(draft("k", "{ }"));
  ASSERT_EQ(during->size(), 1u);
  EXPECT_EQ((*during)[0].error().code, Code::conflict);
  ledger.decide(Fate::ok);
  EXPECT_EQ((*accept_one(draft("k", "{ }")))[0].error().code, Code::conflict);
}

TEST_F(IntakeTest, AppsDoNotShareKeys) {
  const auto a = accept_one(draft("k"));
  const auto b = accept_one(draft("k", "{}", "news"));
  ledger.decide(Fate::ok);
  EXPECT_NE((*a)[0]->id, (*b)[0]->id);
}

TEST_F(IntakeTest, AKeyIsFreeAgainAfterAFailedWrite) {
  const auto first = accept_one(draft("k"));
  const auto waiting = accept_one(draft("k"));
  ledger.decide(Fate::failed);
  EXPECT_EQ((*first)[0].error().code, Code::no_space);
  EXPECT_EQ((*waiting)[0].error().code, Code::no_space);
  const auto second = accept_one(draft("k"));
  ledger.decide(Fate::ok);
  ASSERT_TRUE((*second)[0]);
  EXPECT_FALSE((*second)[0]->repeated);
}

TEST_F(IntakeTest, AKeyIsForgottenAfterADayAndAnHour) {
  accept_one(draft("k"));
  ledger.decide(Fate::ok);
  clock.advance_ms(26 * kHour);
  const auto again = accept_one(draft("k"));
  ledger.decide(Fate::ok);
  EXPECT_FALSE((*again)[0]->repeated);
  EXPECT_EQ(stats.idempotency_keys.value(), 1u);
}

TEST_F(IntakeTest, TheIdOfAKeyedMessageIsTheSameWithinTheHour) {
  const Hash128 key{5, 6};
  const WallMs hour = clock.wall_ms() / kHour * kHour;
  EXPECT_EQ(derived_id(key, 3, hour + 1), derived_id(key, 3, hour + kHour - 1));
  EXPECT_NE(derived_id(key, 3, hour), derived_id(key, 3, hour + kHour));
}

TEST_F(IntakeTest, KeysThatComeFromTheJournalAreKnown) {
  const auto first = accept_one(draft("k"));
  ledger.decide(Fate::ok);
  Message same = draft("k").message;
  same.ttl_ms = limits.default_ttl_ms;
  IntakeStats figures;
  Intake restarted{limits, clock, ledger, figures, [](BatchPtr batch) { batch->release(); }};
  restarted.keys().restore(stable_hash128("k", stable_hash("shop")), records::body_hash(same), (*first)[0]->id,
                           clock.wall_ms(), clock.wall_ms());
  std::vector<Result<AcceptAnswer>> out;
  std::vector<MessageDraft> drafts;
  drafts.push_back(draft("k"));
  restarted.accept(std::move(drafts), [&](std::vector<Result<AcceptAnswer>> r) { out = std::move(r); });
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0]->id, (*first)[0]->id);
  EXPECT_TRUE(out[0]->repeated);
}

TEST_F(IntakeTest, AFullTableForgetsTheOldestHourAndSaysSo) {
  IntakeLimits small;
  small.max_idempotency_keys = 64 * 20;  // 20 a stripe
  IntakeStats figures;
  IdempotencyTable table(small.idempotency_ms, small.max_idempotency_keys, figures);
  Waiter none;
  WallMs now = clock.wall_ms();
  for (int i = 0; i < 5'000; ++i) {
    const std::string text = std::to_string(i);
    const Hash128 key = stable_hash128(text);
    ASSERT_TRUE(std::holds_alternative<IdempotencyTable::Fresh>(table.claim(key, 1, 1, now, none)));
    table.answered(key, {derived_id(key, 1, now), false, 1, DeliveryState::planned});
    if (i % 500 == 0) now += kHour;
  }
  EXPECT_LE(table.size(), small.max_idempotency_keys);
  EXPECT_GT(figures.idempotency_forgotten.value(), 0u);
  EXPECT_EQ(figures.idempotency_keys.value(), table.size());
}

TEST_F(IntakeTest, LowPrioritiesAreRefusedFirst) {
  stats.open_deliveries.set(limits.max_open_deliveries * 9 / 10);
  MessageDraft low = draft(""), high = draft("");
  low.message.priority = Priority::low;
  high.message.priority = Priority::high;
  const auto refused = accept_one(low);
  ASSERT_EQ(refused->size(), 1u);
  EXPECT_EQ((*refused)[0].error().code, Code::overloaded);
  EXPECT_EQ(stats.shed[static_cast<size_t>(Priority::low)].value(), 1u);
  const auto taken = accept_one(high);
  ledger.decide(Fate::ok);
  EXPECT_TRUE((*taken)[0]);
  stats.open_deliveries.set(limits.max_open_deliveries);
  EXPECT_EQ((*accept_one(high))[0].error().code, Code::overloaded);
}

TEST_F(IntakeTest, ADiskThatFillsUpTakesUrgentMessagesLongest) {
  const auto code_of = [&](Priority priority) -> std::optional<Code> {
    MessageDraft d = draft("");
    d.message.priority = priority;
    const auto answers = accept_one(d);
    if (answers->empty()) ledger.decide(Fate::ok);
    return (*answers)[0] ? std::nullopt : std::optional((*answers)[0].error().code);
  };
  intake.set_space(SpaceLevel::no_bulk);
  EXPECT_EQ(code_of(Priority::low), Code::no_space);
  EXPECT_EQ(code_of(Priority::normal), std::nullopt);
  intake.set_space(SpaceLevel::urgent_only);
  EXPECT_EQ(code_of(Priority::high), Code::no_space);
  EXPECT_EQ(code_of(Priority::critical), std::nullopt);
  intake.set_space(SpaceLevel::outcomes_only);
  EXPECT_EQ(code_of(Priority::critical), Code::no_space);
  intake.set_space(SpaceLevel::plenty);
  EXPECT_EQ(code_of(Priority::low), std::nullopt);
}

TEST_F(IntakeTest, AJournalWithoutRoomIsOverloadNotLoss) {
  ledger.full = true;
  const auto refused = accept_one(draft("k"));
  EXPECT_EQ((*refused)[0].error().code, Code::overloaded);
  EXPECT_EQ(stats.accepts_on_their_way.value(), 0u);
  ledger.full = false;
  const auto taken = accept_one(draft("k"));
  ledger.decide(Fate::ok);
  EXPECT_TRUE((*taken)[0]);
}

TEST_F(IntakeTest, WhatCannotBeMeantIsRefusedByName) {
  MessageDraft nobody = draft("");
  nobody.message.to.names.clear();
  EXPECT_EQ((*accept_one(nobody))[0].error().where, "/to");
  MessageDraft endless = draft("");
  endless.message.ttl_ms = limits.max_ttl_ms + 1;
  EXPECT_EQ((*accept_one(endless))[0].error().where, "/options/ttl");
  MessageDraft far = draft("");
  far.message.deliver_at_ms = clock.wall_ms() + limits.max_schedule_ms + 1;
  EXPECT_EQ((*accept_one(far))[0].error().where, "/options/deliver_at");
}

TEST_F(IntakeTest, EachMessageKnowsItsPlaceInTheJournal) {
  std::vector<MessageDraft> drafts;
  drafts.push_back(draft(""));
  drafts.push_back(draft(""));
  const auto answers = accept(std::move(drafts));
  ledger.decide(Fate::ok);
  EXPECT_EQ(positions, (std::vector<uint64_t>{107, 108}));
  EXPECT_NE((*answers)[0]->id, (*answers)[1]->id);
}

TEST_F(IntakeTest, AnEmptyCallIsAnswered) {
  bool answered = false;
  intake.accept({}, [&](auto answers) { answered = answers.empty(); });
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace godwit::intake
