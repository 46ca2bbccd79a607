// The channel as a host sees it, driven by the clock of the test host.
#include <gtest/gtest.h>

#include <atomic>

#include <godwit/text.hpp>

#include "sdk/testhost/instance.hpp"

extern std::atomic<uint64_t> allocations;  // of the whole test program, see allocation_count.cpp

namespace {

using godwit::testhost::DiagLog;
using godwit::testhost::Instance;

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kSecond = 1000 * kMs;

struct Loopback : Instance {
  explicit Loopback(const char* config) : Instance(gw_entry_0.types[0]) {
    EXPECT_EQ(create(config), GW_OK) << diag().text();
    EXPECT_EQ(start(), GW_OK);
    EXPECT_TRUE(wait_ready());
  }
  uint32_t disposition(uint64_t ticket) { return host().settled(ticket).at(0).disposition; }
};

TEST(Loopback, SettlesWithinSubmitAndSendsTheDevicesReceipt) {
  Loopback channel("{}");
  ASSERT_EQ(channel.submit({{.message_id = "m1", .addresses = {"t1"}}}), GW_OK);
  EXPECT_EQ(channel.disposition(1), GW_ACCEPTED);
  auto events = channel.host().events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, GW_EVENT_RECEIPT);
  EXPECT_EQ(events[0].subkind, GW_RECEIPT_DELIVERED);
  EXPECT_EQ(events[0].flags, GW_EVENT_BY_DEVICE);
  EXPECT_EQ(events[0].vendor_id, channel.host().settled(1)[0].vendor_id);
  EXPECT_EQ(events[0].message_id, "m1");
  EXPECT_EQ(events[0].address, "t1");
}

TEST(Loopback, EachTargetHasItsOwnNameAndReceipt) {
  Loopback channel(R"({"receipt_kind": "vendor"})");
  ASSERT_EQ(channel.submit({{.addresses = {"a", "b", "c"}}}), GW_OK);
  auto ends = channel.host().settled(1);
  ASSERT_EQ(ends.size(), 3u);
  EXPECT_NE(ends[0].vendor_id, ends[1].vendor_id);
  ASSERT_EQ(channel.host().events().size(), 3u);
  EXPECT_EQ(channel.host().events()[1].address, "b");
  EXPECT_EQ(channel.host().events()[1].flags, 0u);
}

TEST(Loopback, NamesStayRightOverManyBatches) {
  Loopback channel(R"({"accept": 0.7, "deliver": 0.6})");
  for (int i = 0; i < 5; ++i) ASSERT_EQ(channel.submit(std::vector<godwit::testhost::ParcelSpec>(300)), GW_OK);
  std::set<std::string> names;
  size_t accepted = 0;
  for (const auto& end : channel.host().settled()) {
    if (end.disposition != GW_ACCEPTED) continue;
    ++accepted;
    names.insert(end.vendor_id);
  }
  EXPECT_EQ(names.size(), accepted);
  for (const auto& event : channel.host().events()) EXPECT_TRUE(names.contains(event.vendor_id));
  EXPECT_NEAR(static_cast<double>(channel.host().events().size()), 1500 * 0.7 * 0.6, 100);
}

TEST(Loopback, LatencyDelaysTheAnswerAndReceiptLatencyTheReceipt) {
  Loopback channel(R"({"latency": 40, "receipt_latency": {"median_ms": 300}})");
  ASSERT_EQ(channel.submit({{}}), GW_OK);
  channel.host().run_for(39 * kMs);
  EXPECT_EQ(channel.host().settle_count(), 0u);
  channel.host().run_for(1 * kMs);
  EXPECT_EQ(channel.host().settle_count(), 1u);
  channel.host().run_for(299 * kMs);
  EXPECT_EQ(channel.host().events().size(), 0u);
  channel.host().run_for(1 * kMs);
  EXPECT_EQ(channel.host().events().size(), 1u);
}

TEST(Loopback, AnOutageThatHangsAnswersJustBeforeTheDeadline) {
  Loopback channel(R"({"outage": [{"after_s": 0, "mode": "hang"}]})");
  ASSERT_EQ(channel.submit({{}}, 5 * kSecond), GW_OK);
  channel.host().run_for(4 * kSecond);
  EXPECT_EQ(channel.host().settle_count(), 0u);
  channel.host().run_for(1 * kSecond);
  EXPECT_EQ(channel.disposition(1), GW_UNKNOWN);
}

TEST(Loopback, AnAnswerThatComesTooLateIsUnknown) {
  Loopback channel(R"({"latency": 60000})");
  ASSERT_EQ(channel.submit({{}}, 5 * kSecond), GW_OK);
  ASSERT_TRUE(channel.wait_settled(5 * kSecond));
  EXPECT_EQ(channel.disposition(1), GW_UNKNOWN);
}

TEST(Loopback, CanBeBrokenAndMendedWhileItRuns) {
  Loopback channel("{}");
  DiagLog diag;
  ASSERT_EQ(channel.reconfigure(R"({"accept": 0})", diag), GW_OK);
  ASSERT_EQ(channel.submit({{}}), GW_OK);
  EXPECT_EQ(channel.disposition(1), GW_RETRY);
  ASSERT_EQ(channel.reconfigure(R"({"outage": [{"after_s": 0, "mode": "silent"}]})", diag), GW_OK);
  ASSERT_EQ(channel.submit({{}}), GW_OK);
  EXPECT_EQ(channel.disposition(2), GW_ACCEPTED);
  EXPECT_EQ(channel.host().events().size(), 0u);
  ASSERT_EQ(channel.reconfigure(R"({"window": 10})", diag), GW_OK);
  ASSERT_EQ(channel.submit({{}}), GW_OK);
  EXPECT_EQ(channel.host().events().size(), 1u);
  EXPECT_EQ(channel.host().window(), 10u);
}

TEST(Loopback, ANewSeedNeedsANewInstance) {
  Loopback channel("{}");
  DiagLog diag;
  EXPECT_EQ(channel.reconfigure(R"({"seed": 5})", diag), GW_E_NEEDS_RESTART);
  EXPECT_EQ(diag.lines().at(0).where, "/seed");
}

TEST(Loopback, ACancelledMessageThatWaitsNeverLeaves) {
  Loopback channel(R"({"latency": 1000})");
  ASSERT_EQ(channel.submit({{}, {}}), GW_OK);
  channel.cancel(2);
  EXPECT_EQ(channel.disposition(2), GW_CANCELLED);
  ASSERT_TRUE(channel.wait_settled());
  EXPECT_EQ(channel.disposition(1), GW_ACCEPTED);
  EXPECT_EQ(channel.host().misbehaviours(), std::vector<std::string>());
}

TEST(Loopback, ClosesItsWindowRatherThanLoseReceipts) {
  Loopback channel("{}");
  channel.host().refuse_events(1'000'000'000);
  for (int i = 0; i < 30; ++i) ASSERT_EQ(channel.submit(std::vector<godwit::testhost::ParcelSpec>(1000)), GW_OK);
  EXPECT_EQ(channel.host().window(), 0u);
  channel.host().refuse_events(0);
  channel.host().run_for(kSecond);
  EXPECT_EQ(channel.host().events().size(), 30'000u);
  EXPECT_EQ(channel.host().window(), 16384u);
}

TEST(Loopback, DrainsOnlyWhenItsReceiptsAreOut) {
  Loopback channel(R"({"receipt_latency": 2000})");
  ASSERT_EQ(channel.submit({{}}), GW_OK);
  uint64_t begin = channel.host().now_ns();
  EXPECT_TRUE(channel.drain());
  EXPECT_EQ(channel.host().now_ns() - begin, 2 * kSecond);
  EXPECT_EQ(channel.host().events().size(), 1u);
}

// ---- the path that benchmarks go ----

uint64_t settled_by_counter = 0, events_by_counter = 0;

// A host that only counts.
gw_host counting_host() {
  gw_host h{};
  h.size = sizeof h;
  h.get_service = [](void*, gw_str) -> const void* { return nullptr; };
  h.now_mono_ns = h.now_wall_ms = [](void*) -> uint64_t { return 1'000'000; };
  h.log = [](void*, int32_t, gw_str, const gw_str*, uint32_t) {};
  h.log_level = [](void*) -> int32_t { return GW_LOG_ERROR; };
  h.set_state = [](void*, uint32_t, gw_str) -> int32_t { return GW_OK; };
  h.set_window = [](void*, uint32_t) -> int32_t { return GW_OK; };
  h.settle = [](void*, const gw_outcome* const*, uint32_t n) -> int32_t { return settled_by_counter += n, GW_OK; };
  h.event = [](void*, const gw_event* const*, uint32_t n) -> int32_t { return events_by_counter += n, GW_OK; };
  h.drained = [](void*) -> int32_t { return GW_OK; };
  return h;
}

TEST(Loopback, DoesNotAllocatePerMessage) {
  const gw_channel_ops& ops = *gw_entry_0.types[0]->ops;
  gw_host host = counting_host();
  void* self = nullptr;
  ASSERT_EQ(ops.create(&host, godwit::str(R"({"deliver": 0.5, "accept": 0.9})"), nullptr, &self), GW_OK);
  ASSERT_EQ(ops.start(self, nullptr), GW_OK);
  godwit::testhost::Parcel parcel({}, 1, UINT64_MAX);
  std::vector<const gw_msg*> messages(1000, parcel.message());
  gw_batch batch{sizeof batch, 1000, messages.data()};
  ops.submit(self, &batch);
  uint64_t before = allocations;
  for (int i = 0; i < 100; ++i) ops.submit(self, &batch);
  EXPECT_EQ(allocations - before, 0u);
  EXPECT_EQ(settled_by_counter, 101'000u);
  EXPECT_NEAR(static_cast<double>(events_by_counter), 101'000 * 0.45, 1000);
  ops.stop(self);
  ops.destroy(self);
}

}  // namespace
