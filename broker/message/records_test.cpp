#include "broker/message/records.hpp"

#include <gtest/gtest.h>

namespace godwit::records {
namespace {

Message full_message() {
  Message m;
  m.id = MessageId::make(1'790'000'000'000, 77, {1, 2});
  m.app = "shop";
  m.to = {AudienceKind::users, "mipush", {"u1", "u2"}};
  m.content = R"({"notification":{"title":"Hi"}})";
  m.overrides = {{"apns", "{}"}, {"mipush", R"({"a":1})"}};
  m.priority = Priority::critical;
  m.message_class = MessageClass::marketing;
  m.routing = RoutingMode::ordered;
  m.silent = true;
  m.collapse_key = "order-1";
  m.channels = {"selfconn", "mipush"};
  m.ttl_ms = 3600'000;
  m.accepted_ms = 1'790'000'000'123;
  m.deliver_at_ms = 1'790'000'900'000;
  m.idempotency_key = {3, 4};
  m.body_hash = 5;
  return m;
}

Progress full_progress() {
  Progress p;
  p.device_id = "d1";
  p.state = DeliveryState::opened;
  p.final = true;
  p.reason = 3;
  p.planned_ms = 1'790'000'000'124;
  p.final_ms = 1'790'000'000'900;
  p.attempts = {{"mipush", 1, 2, 503, 1'790'000'000'200, 1'790'000'000'300, "", "busy", "try again", 1, 0.5f},
                {"mipush", 2, kInFlight, 0, 1'790'000'000'400, 0, "v-1", "", "", 0, 0.25f}};
  p.receipts = {{ReceiptEvent::opened, ReceiptSource::vendor, "mipush", 1'790'000'000'800}};
  return p;
}

std::string encoded(const Message& m) {
  std::string out;
  put_accept(out, m);
  return out;
}

TEST(AcceptRecord, CarriesTheWholeMessage) {
  const Message m = full_message();
  const auto back = get_accept(encoded(m));
  ASSERT_TRUE(back);
  EXPECT_EQ(encoded(*back), encoded(m));
  EXPECT_EQ(back->to.names, m.to.names);
  EXPECT_EQ(back->deliver_at_ms, m.deliver_at_ms);
  EXPECT_EQ(back->overrides, m.overrides);
  EXPECT_TRUE(back->silent);
}

TEST(AcceptRecord, AMessageThatIsNotScheduledIsDeliveredFromItsAcceptance) {
  Message m = full_message();
  m.deliver_at_ms = m.accepted_ms;
  EXPECT_EQ(get_accept(encoded(m))->deliver_at_ms, m.accepted_ms);
}

TEST(AcceptRecord, TheHeaderAloneTellsTheIdempotencyKey) {
  const std::string body = encoded(full_message());
  const auto header = get_accept_header(body);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->app, "shop");
  EXPECT_EQ(header->idempotency_key, (Hash128{3, 4}));
  EXPECT_EQ(header->body_hash, 5u);
}

TEST(BodyHash, IsTheSameForTheSameRequestAtAnotherTime) {
  Message a = full_message(), b = full_message();
  a.deliver_at_ms = b.deliver_at_ms = 0;
  b.accepted_ms += 5'000;
  b.id = MessageId{9, 9};
  EXPECT_EQ(body_hash(a), body_hash(b));
  b.content += " ";
  EXPECT_NE(body_hash(a), body_hash(b));
}

TEST(OutcomeRecord, CarriesAttemptsAndReceipts) {
  std::string body;
  put_outcome(body, {1, 2}, full_progress());
  const auto back = get_outcome(body);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->id, (MessageId{1, 2}));
  EXPECT_EQ(back->progress, full_progress());
}

TEST(CarryRecord, IsReadAsAnAcceptHeaderToo) {
  Carry carry;
  carry.message = full_message();
  carry.planned = true;
  carry.fanout = Cursor{carry.message.id, 5'000, 4'000, false};
  carry.dropped = {0, 0, 3, 900};
  carry.deliveries = {full_progress()};
  std::string body;
  put_carry(body, carry);
  ASSERT_TRUE(get_accept_header(body));
  const auto back = get_carry(body);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->fanout->next, 5'000u);
  EXPECT_EQ(back->dropped, carry.dropped);
  EXPECT_EQ(back->deliveries, carry.deliveries);
  EXPECT_EQ(encoded(back->message), encoded(carry.message));
}

// Every record of the file, as bytes, with a decoder that says whether it took them.
struct Sample {
  const char* name;
  std::string body;
  bool (*decodes)(std::string_view);
};
std::vector<Sample> samples() {
  std::vector<Sample> out;
  out.push_back({"accept", encoded(full_message()), [](std::string_view b) { return get_accept(b).has_value(); }});
  std::string b;
  put_outcome(b, {1, 2}, full_progress());
  out.push_back({"outcome", b, [](std::string_view x) { return get_outcome(x).has_value(); }});
  b.clear();
  put_receipt(b, {1, 2}, "d1", full_progress().receipts[0]);
  out.push_back({"receipt", b, [](std::string_view x) { return get_receipt(x).has_value(); }});
  b.clear();
  put_intent(b, {{1, 2}, "d1", "sms", 1, 99});
  out.push_back({"intent", b, [](std::string_view x) { return get_intent(x).has_value(); }});
  b.clear();
  put_cancel(b, {{1, 2}, 99});
  out.push_back({"cancel", b, [](std::string_view x) { return get_cancel(x).has_value(); }});
  b.clear();
  put_cursor(b, {{1, 2}, 1000, 900, true});
  out.push_back({"cursor", b, [](std::string_view x) { return get_cursor(x).has_value(); }});
  b.clear();
  put_checkpoint(b, {1000, 99});
  out.push_back({"checkpoint", b, [](std::string_view x) { return get_checkpoint(x).has_value(); }});
  return out;
}

TEST(MessageRecords, AreRefusedWhenCutAnywhereOrLonger) {
  for (const Sample& s : samples()) {
    EXPECT_TRUE(s.decodes(s.body)) << s.name;
    for (size_t n = 0; n < s.body.size(); ++n)
      EXPECT_FALSE(s.decodes(std::string_view(s.body).substr(0, n))) << s.name << " cut to " << n;
    EXPECT_FALSE(s.decodes(s.body + "x")) << s.name;
  }
}

TEST(MessageRecords, OfAnotherVersionAreRefused) {
  for (Sample& s : samples()) {
    s.body[0] = 9;
    EXPECT_FALSE(s.decodes(s.body)) << s.name;
  }
}

TEST(MessageRecords, ALyingCountCannotMakeUsAllocate) {
  std::string body;
  put_outcome(body, {1, 2}, {});
  body.resize(body.size() - 2);                    // the two empty lists
  body += "\xff\xff\xff\xff\xff\xff\xff\xff\x7f";  // 2^62 attempts
  EXPECT_FALSE(get_outcome(body));
}

}  // namespace
}  // namespace godwit::records
