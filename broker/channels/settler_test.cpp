#include "broker/channels/settler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "broker/channels/testing/parcels.hpp"
#include "broker/channels/testing/recording_sink.hpp"

namespace godwit::channels {
namespace {

class SettlerTest : public ::testing::Test {
 protected:
  SettlerTest() {
    settler.attach(sink);
    window.resize(10'000);
  }
  std::vector<const gw_msg*> open(size_t n, MonoNs deadline = 0, size_t targets = 1) {
    EXPECT_TRUE(window.take(static_cast<uint32_t>(n), clock.mono_ns()));
    std::vector<const gw_msg*> messages;
    settler.open(make_parcels(n, deadline, targets), messages);
    return messages;
  }
  int32_t settle(uint64_t ticket, uint32_t target = GW_ALL_TARGETS, uint32_t disposition = GW_ACCEPTED) {
    gw_outcome outcome{};
    outcome.size = sizeof outcome;
    outcome.ticket = ticket;
    outcome.target_index = target;
    outcome.disposition = disposition;
    const gw_outcome* list[] = {&outcome};
    return settler.settle(list, 1, false);
  }

  ManualClock clock;
  Misbehaviour misbehaviour{"one", clock};
  Window window{10'000};
  RecordingSink sink;
  Settler settler{0, 4, clock, window, misbehaviour, [](int64_t) {}};
};

TEST_F(SettlerTest, HandsThePluginWhatTheParcelSays) {
  auto parcel = make_parcel(7, clock.mono_ns() + kNsPerSecond, 2);
  auto message = std::make_shared<Message>(*parcel->message);
  message->priority = Priority::critical;
  message->collapse_key = "order";
  message->silent = true;
  parcel->message = message;
  parcel->vendor_options = R"({"a":1})";
  parcel->attempt = 2;
  std::vector<const gw_msg*> messages;
  ASSERT_TRUE(window.take(1, clock.mono_ns()));
  const std::shared_ptr<const Parcel> given = parcel;
  settler.open({&given, 1}, messages);
  const gw_msg& m = *messages.at(0);
  const auto text = [](gw_str s) { return std::string(s.ptr, s.len); };
  EXPECT_EQ(m.size, sizeof(gw_msg));
  EXPECT_EQ(text(m.message_id), "m7");
  EXPECT_EQ(text(m.app_id), "shop");
  EXPECT_EQ(text(m.content), R"({"notification":{"title":"Hello"}})");
  EXPECT_EQ(text(m.vendor_options), R"({"a":1})");
  EXPECT_EQ(text(m.collapse_key), "order");
  EXPECT_EQ(m.flags, GW_MSG_SILENT);
  EXPECT_EQ(m.priority, 3u);
  EXPECT_EQ(m.attempt, 2u);
  EXPECT_EQ(m.ttl_ms, 60'000u);
  ASSERT_EQ(m.target_count, 2u);
  EXPECT_EQ(text(m.targets[1]->address), "token-1");
  EXPECT_EQ(m.trace.ptr, nullptr);
}

TEST_F(SettlerTest, KeepsTheParcelUntilItsLastTargetIsSettled) {
  auto parcel = make_parcel(1, 0, 2);
  std::weak_ptr<const Parcel> alive = parcel;
  std::vector<const gw_msg*> messages;
  ASSERT_TRUE(window.take(1, clock.mono_ns()));
  {
    const std::shared_ptr<const Parcel> given = std::move(parcel);
    settler.open({&given, 1}, messages);
  }
  EXPECT_EQ(settle(messages[0]->ticket, 0), GW_OK);
  EXPECT_FALSE(alive.expired());
  EXPECT_EQ(window.out(), 1u);
  EXPECT_EQ(settle(messages[0]->ticket, GW_ALL_TARGETS, GW_TARGET_INVALID), GW_OK);
  EXPECT_TRUE(alive.expired());
  EXPECT_EQ(window.out(), 0u);
  const auto got = sink.wait_settlements(2);
  EXPECT_EQ(got[0].disposition, Disposition::accepted);
  EXPECT_EQ(got[1].target, 1u);
  EXPECT_EQ(got[1].disposition, Disposition::target_invalid);
}

TEST_F(SettlerTest, AnswersInvalidForWhatIsNotOpen) {
  const uint64_t ticket = open(1, 0, 2)[0]->ticket;
  EXPECT_EQ(settle(ticket, 2), GW_E_INVALID);
  EXPECT_EQ(settle(ticket, 0), GW_OK);
  EXPECT_EQ(settle(ticket, 0), GW_E_INVALID);
  EXPECT_EQ(settle(ticket), GW_OK);
  EXPECT_EQ(settle(ticket), GW_E_INVALID);
  EXPECT_EQ(misbehaviour.total(), 3u);
  EXPECT_EQ(sink.wait_settlements(2).size(), 2u);
}

TEST_F(SettlerTest, DoesNotConfuseATicketWithALaterOneInTheSamePlace) {
  const uint64_t first = open(1)[0]->ticket;
  settle(first);
  const uint64_t second = open(1)[0]->ticket;
  EXPECT_NE(first, second);
  EXPECT_EQ(settle(first), GW_E_INVALID);
  EXPECT_EQ(settle(second), GW_OK);
}

TEST_F(SettlerTest, KeepsTheMemoryOfAMessageThatThePluginForgot) {
  const MonoNs deadline = clock.mono_ns() + kNsPerSecond;
  std::vector<const gw_msg*> messages = open(1, deadline);
  clock.advance_ms(6001);
  settler.sweep(clock.mono_ns());
  EXPECT_EQ(sink.wait_settlements(1).size(), 1u);
  EXPECT_EQ(window.out(), 0u);
  EXPECT_EQ(settler.abandoned(), 1u);
  EXPECT_EQ(std::string(messages[0]->message_id.ptr, messages[0]->message_id.len), "m1")
      << "the plugin may still read it";
  EXPECT_EQ(settle(messages[0]->ticket), GW_OK);
  EXPECT_EQ(settler.late_settles(), 1u);
  EXPECT_EQ(settler.abandoned(), 0u);
  EXPECT_EQ(sink.wait_settlements(1).size(), 1u);
}

TEST_F(SettlerTest, CutsAndCleansWhatThePluginSays) {
  const uint64_t ticket = open(1)[0]->ticket;
  const std::string longer(2000, 'x');
  gw_outcome outcome{};
  outcome.size = sizeof outcome;
  outcome.ticket = ticket;
  outcome.target_index = GW_ALL_TARGETS;
  outcome.detail = {longer.data(), longer.size()};
  outcome.vendor_code = {"bad \xff utf", 9};
  const gw_outcome* list[] = {&outcome};
  EXPECT_EQ(settler.settle(list, 1, false), GW_OK);
  const auto got = sink.wait_settlements(1);
  EXPECT_EQ(got[0].detail.size(), 512u);
  EXPECT_EQ(got[0].vendor_code, "bad ? utf");
}

TEST_F(SettlerTest, TakesAnOlderPluginsShorterOutcome) {
  gw_outcome outcome{};
  outcome.size = offsetof(gw_outcome, since_wall_ms);  // as if the last field did not exist yet
  outcome.since_wall_ms = 12345;
  outcome.ticket = open(1)[0]->ticket;
  outcome.disposition = GW_TARGET_INVALID;
  const gw_outcome* list[] = {&outcome};
  EXPECT_EQ(settler.settle(list, 1, false), GW_OK);
  EXPECT_EQ(sink.wait_settlements(1)[0].dead_since_ms, 0);
}

TEST_F(SettlerTest, CallsTheSinkNoMoreAfterDetach) {
  const uint64_t ticket = open(1)[0]->ticket;
  settler.detach();
  EXPECT_EQ(settle(ticket), GW_OK);
  settler.room();
  EXPECT_TRUE(settler.events({}));
  EXPECT_EQ(sink.batches(), 0u);
}

// Eight threads settle everything, each ticket by two of them, while the host sweeps: every ticket is told once.
TEST_F(SettlerTest, TellsEveryTicketOnceHoweverManyThreadsSettleIt) {
  constexpr size_t kMessages = 4000;
  const std::vector<const gw_msg*> messages = open(kMessages, clock.mono_ns() + kNsPerSecond);
  std::vector<uint64_t> tickets;
  for (const gw_msg* m : messages) tickets.push_back(m->ticket);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (size_t i = t / 2; i < kMessages; i += 4) settle(tickets[i]);
    });
  threads.emplace_back([&] {
    clock.advance_ms(7000);
    for (int i = 0; i < 50; ++i) settler.sweep(clock.mono_ns());
  });
  for (std::thread& t : threads) t.join();
  std::set<uint64_t> cookies;
  const auto got = sink.wait_settlements(kMessages);
  for (const Settlement& s : got) cookies.insert(s.cookie);
  EXPECT_EQ(got.size(), kMessages);
  EXPECT_EQ(cookies.size(), kMessages);
  EXPECT_EQ(window.out(), 0u);
}

}  // namespace
}  // namespace godwit::channels
