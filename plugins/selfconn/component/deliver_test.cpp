// Messages to devices: what arrives, what the PUBACK settles, and what becomes of the rest.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "plugins/selfconn/testing/running_gateway.hpp"

namespace selfconn::testing {
namespace {

using mqtt::Property;
using mqtt::Reason;

std::string id(int n) {
  return "01JD00000000000000000000" + std::to_string(10 + n);
}
ParcelSpec message(int n) {
  return {.message_id = id(n)};
}

TEST(Deliver, TheMessageArrivesAsDocumentedAndThePubackSettlesIt) {
  for (Version version : {Version::v3_1_1, Version::v5}) {
    RunningGateway gateway;
    auto device = gateway.device({.version = version});
    const uint64_t ticket = gateway.push("demo/d1");
    const Packet packet = device.receive();
    const mqtt::Publish publish = packet.publish(version);
    EXPECT_EQ(publish.topic, "godwit/inbox");
    EXPECT_EQ(publish.qos, 1);
    EXPECT_FALSE(publish.dup);
    EXPECT_FALSE(publish.retain);
    const auto json = nlohmann::json::parse(text_of(publish.payload));
    EXPECT_EQ(json.at("message_id"), "01JD0000000000000000000001");
    EXPECT_EQ(json.at("notification").at("title"), "Hello");
    EXPECT_EQ(json.at("data").at("order"), "123");
    EXPECT_EQ(json.at("sent_at"), "2026-09-21T14:13:20.000Z");
    EXPECT_TRUE(gateway.is_open(ticket));
    device.puback(packet);
    EXPECT_EQ(gateway.outcome(ticket).disposition, uint32_t{GW_DELIVERED});
  }
}

TEST(Deliver, Version5CarriesExpiryAndFormat) {
  RunningGateway gateway;
  auto device = gateway.device();
  gateway.push("demo/d1", {.ttl_ms = 90'500});
  const Packet packet = device.receive();
  const auto p = packet.publish(Version::v5).properties;
  EXPECT_EQ(p.number(Property::message_expiry_interval, 0), 91u);
  EXPECT_EQ(p.number(Property::payload_format_indicator, 0), 1u);
  EXPECT_FALSE(p.has(Property::topic_alias)) << "the client did not allow one";
}

TEST(Deliver, TheTopicIsSaidOnceWhenTheClientTakesAnAlias) {
  RunningGateway gateway;
  auto device = gateway.device({.topic_alias_maximum = 1});
  gateway.push("demo/d1", message(1));
  gateway.push("demo/d1", message(2));
  const Packet first = device.receive(), second = device.receive();
  EXPECT_EQ(first.publish(Version::v5).topic, "godwit/inbox");
  EXPECT_EQ(first.publish(Version::v5).properties.number(Property::topic_alias, 0), 1u);
  EXPECT_EQ(second.publish(Version::v5).topic, "");
  EXPECT_EQ(second.publish(Version::v5).properties.number(Property::topic_alias, 0), 1u);
}

TEST(Deliver, ADeviceThatIsNotHereIsUnreachable) {
  RunningGateway gateway;
  const Settled how = gateway.outcome(gateway.push("demo/nobody"));
  EXPECT_EQ(how.disposition, uint32_t{GW_UNREACHABLE});
  EXPECT_EQ(how.vendor_code, "not-connected");
}

TEST(Deliver, AMessageThatWasSentIsUnknownWhenTheConnectionIsLost) {
  RunningGateway gateway;
  auto device = gateway.device();
  const uint64_t ticket = gateway.push("demo/d1");
  device.receive();
  device.close();
  EXPECT_EQ(gateway.outcome(ticket).disposition, uint32_t{GW_UNKNOWN});
}

TEST(Deliver, AMessageThatWaitedIsUnreachableWhenTheConnectionIsLost) {
  RunningGateway gateway;
  auto device = gateway.device({.receive_maximum = 1});
  const uint64_t sent = gateway.push("demo/d1", message(1));
  const uint64_t waiting = gateway.push("demo/d1", message(2));
  device.receive();
  EXPECT_TRUE(device.is_quiet());
  device.send("E000");
  EXPECT_EQ(gateway.outcome(sent).disposition, uint32_t{GW_UNKNOWN});
  EXPECT_EQ(gateway.outcome(waiting).disposition, uint32_t{GW_UNREACHABLE});
}

TEST(Deliver, OutcomesAreToldBeforeTheDeviceIsOnlineAgain) {
  RunningGateway gateway;
  auto first = gateway.device();
  const uint64_t ticket = gateway.push("demo/d1");
  first.receive();
  std::atomic<size_t> presence_at_settle = 0;
  gateway.host().on_ticket_done = [&](uint64_t) { presence_at_settle = gateway.heard(GW_EVENT_PRESENCE).size(); };
  auto second = gateway.device();
  EXPECT_EQ(gateway.outcome(ticket).disposition, uint32_t{GW_UNKNOWN});
  EXPECT_EQ(presence_at_settle, 1u) << "or the broker would send again what it thinks is still on its way";
}

TEST(Deliver, NoMoreThanTheWindowIsUnacknowledged) {
  RunningGateway gateway(R"({"device_window": 3})");
  auto device = gateway.device();
  std::vector<uint64_t> tickets;
  for (int i = 0; i < 7; ++i) tickets.push_back(gateway.push("demo/d1", message(i)));
  std::vector<Packet> got;
  for (int i = 0; i < 3; ++i) got.push_back(device.receive());
  EXPECT_TRUE(device.is_quiet());
  for (int i = 0; i < 4; ++i) {
    device.puback(got[static_cast<size_t>(i)]);
    got.push_back(device.receive());
    EXPECT_TRUE(device.is_quiet());
  }
  std::set<uint16_t> ids;
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_NE(text_of(got[i].publish(Version::v5).payload).find(id(static_cast<int>(i))), std::string::npos)
        << "in order";
    ids.insert(got[i].publish(Version::v5).packet_id);
  }
  EXPECT_EQ(ids.size(), 7u);
}

TEST(Deliver, ReceiveMaximumOfTheClientCounts) {
  RunningGateway gateway;
  auto device = gateway.device({.receive_maximum = 2});
  for (int i = 0; i < 3; ++i) gateway.push("demo/d1", message(i));
  const Packet first = device.receive();
  device.receive();
  EXPECT_TRUE(device.is_quiet());
  device.puback(first);
  EXPECT_EQ(device.receive().type(), mqtt::PacketType::publish);
}

TEST(Deliver, AcknowledgementsMayComeInAnyOrder) {
  RunningGateway gateway;
  auto device = gateway.device();
  std::vector<uint64_t> tickets;
  std::vector<Packet> packets;
  for (int i = 0; i < 3; ++i) tickets.push_back(gateway.push("demo/d1", message(i)));
  for (int i = 0; i < 3; ++i) packets.push_back(device.receive());
  for (size_t i : {1u, 2u, 0u}) {
    device.puback(packets[i]);
    EXPECT_EQ(gateway.outcome(tickets[i]).disposition, uint32_t{GW_DELIVERED});
  }
}

TEST(Deliver, UrgentMessagesOvertakeThoseThatWait) {
  RunningGateway gateway;
  auto device = gateway.device({.receive_maximum = 1});
  Packet first;
  for (int i = 0; i < 4; ++i) {
    ParcelSpec spec = message(i);
    spec.priority = i == 3 ? 3 : i == 2 ? 1 : 0;
    gateway.push("demo/d1", spec);
    if (i == 0) first = device.receive();
  }
  device.puback(first);
  for (int expected : {3, 2, 1}) {
    const Packet packet = device.receive();
    EXPECT_NE(text_of(packet.publish(Version::v5).payload).find(id(expected)), std::string::npos) << expected;
    device.puback(packet);
  }
}

TEST(Deliver, ADeviceThatIsOfferedTooMuchSendsTheRestBackForLater) {
  RunningGateway gateway(R"({"device_window": 1, "device_queue": 2})");
  auto device = gateway.device();
  for (int i = 0; i < 3; ++i) gateway.push("demo/d1", message(i));
  device.receive();
  const uint64_t fourth = gateway.push("demo/d1", message(3));
  const Settled how = gateway.outcome(fourth);
  EXPECT_EQ(how.disposition, uint32_t{GW_RETRY});
  EXPECT_EQ(how.retry_after_ms, 1000u);
}

TEST(Deliver, AMessageAboveTheClientsPacketSizeIsRejectedAndOthersStillCome) {
  RunningGateway gateway;
  auto device = gateway.device({.max_packet = 300});
  ParcelSpec large = message(1);
  large.content = R"({"data":{"x":")" + std::string(300, 'x') + R"("}})";
  const Settled how = gateway.outcome(gateway.push("demo/d1", large));
  EXPECT_EQ(how.disposition, uint32_t{GW_REJECTED});
  EXPECT_EQ(how.vendor_code, "too-large");
  gateway.push("demo/d1", message(2));
  EXPECT_EQ(device.receive().type(), mqtt::PacketType::publish);
}

TEST(Deliver, ContentsOfEverySizeAndShapeArriveWhole) {
  RunningGateway gateway;
  auto device = gateway.device();
  for (const std::string& content : {std::string("{}"), std::string(" { } "), std::string(R"( {"data":{"a":1}}
)"),
                                     R"({"data":{"x":")" + std::string(60'000, 'x') + R"("}})"}) {
    ParcelSpec spec = message(1);
    spec.content = content;
    const uint64_t ticket = gateway.push("demo/d1", spec);
    const Packet packet = device.receive();
    auto json = nlohmann::json::parse(text_of(packet.publish(Version::v5).payload));
    EXPECT_EQ(json.at("message_id"), id(1));
    json.erase("message_id");
    json.erase("sent_at");
    EXPECT_EQ(json, nlohmann::json::parse(content));
    device.puback(packet);
    EXPECT_EQ(gateway.outcome(ticket).disposition, uint32_t{GW_DELIVERED});
  }
}

TEST(Deliver, ContentThatIsNoObjectIsRejected) {
  RunningGateway gateway;
  auto device = gateway.device();
  for (const char* content : {"", "[]", "hello", "{"}) {
    ParcelSpec spec = message(1);
    spec.content = content;
    EXPECT_EQ(gateway.outcome(gateway.push("demo/d1", spec)).disposition, uint32_t{GW_REJECTED}) << content;
  }
  EXPECT_TRUE(device.is_quiet());
}

TEST(Deliver, WhatWaitsPastItsTimeToLiveExpires) {
  RunningGateway gateway;
  auto device = gateway.device({.receive_maximum = 1});
  gateway.push("demo/d1", message(1));
  const Packet first = device.receive();
  ParcelSpec brief = message(2);
  brief.ttl_ms = 5'000;
  const uint64_t ticket = gateway.push("demo/d1", brief);
  EXPECT_TRUE(device.is_quiet());
  gateway.pass(6);
  EXPECT_EQ(gateway.outcome(ticket).disposition, uint32_t{GW_EXPIRED});
  device.puback(first);
  EXPECT_TRUE(device.is_quiet()) << "it is not sent";
}

TEST(Deliver, ATimeToLiveOfZeroMeansNowOrNever) {
  RunningGateway gateway;
  auto device = gateway.device({.receive_maximum = 1});
  ParcelSpec now = message(1);
  now.ttl_ms = 0;
  gateway.push("demo/d1", now);
  EXPECT_EQ(device.receive().publish(Version::v5).properties.number(Property::message_expiry_interval, 0), 1u);
  now.message_id = id(2);
  const uint64_t never = gateway.push("demo/d1", now);
  gateway.pass(1);
  EXPECT_EQ(gateway.outcome(never).disposition, uint32_t{GW_EXPIRED});
}

TEST(Deliver, AtTheDeadlineItIsUnknownAndALatePubackBecomesAReceipt) {
  RunningGateway gateway;
  auto device = gateway.device();
  const uint64_t ticket = gateway.push("demo/d1", message(1), 10);
  const Packet packet = device.receive();
  gateway.pass(11);
  EXPECT_EQ(gateway.outcome(ticket).disposition, uint32_t{GW_UNKNOWN});
  device.puback(packet);
  const auto receipts = gateway.wait_heard(GW_EVENT_RECEIPT, 1);
  ASSERT_EQ(receipts.size(), 1u);
  EXPECT_EQ(receipts[0].subkind, uint32_t{GW_RECEIPT_DELIVERED});
  EXPECT_EQ(receipts[0].message_id, id(1));
  EXPECT_EQ(receipts[0].address, "demo/d1");
  EXPECT_TRUE(device.is_quiet()) << "the connection goes on";
}

TEST(Deliver, AMessageThatCouldNotLeaveByItsDeadlineIsUnreachable) {
  RunningGateway gateway;
  auto device = gateway.device({.receive_maximum = 1});
  gateway.push("demo/d1", message(1));
  device.receive();
  const uint64_t ticket = gateway.push("demo/d1", message(2), 10);
  EXPECT_TRUE(device.is_quiet());
  gateway.pass(11);
  EXPECT_EQ(gateway.outcome(ticket).disposition, uint32_t{GW_UNREACHABLE});
}

TEST(Deliver, ADeviceThatDoesNotAcknowledgeInThirtySecondsIsCutOff) {
  RunningGateway gateway;
  auto device = gateway.device({.keep_alive_s = 600});
  const uint64_t ticket = gateway.push("demo/d1");
  device.receive();
  gateway.pass(29);
  EXPECT_TRUE(device.is_quiet()) << "and it is not sent again";
  gateway.pass(2);
  EXPECT_EQ(gateway.outcome(ticket).disposition, uint32_t{GW_UNKNOWN});
  EXPECT_EQ(device.receive().type(), mqtt::PacketType::disconnect);
  EXPECT_TRUE(device.is_closed());
}

TEST(Deliver, TheDevicesReasonDecidesWhatHappensNext) {
  RunningGateway gateway;
  auto device = gateway.device();
  const std::vector<std::pair<Reason, uint32_t>> table = {
      {Reason::no_matching_subscribers, GW_DELIVERED},   {Reason::unspecified_error, GW_RETRY},
      {Reason::implementation_specific_error, GW_RETRY}, {Reason::not_authorized, GW_REJECTED},
      {Reason::topic_name_invalid, GW_REJECTED},         {Reason::quota_exceeded, GW_RETRY},
      {Reason::payload_format_invalid, GW_REJECTED}};
  for (const auto& [reason, disposition] : table) {
    const uint64_t ticket = gateway.push("demo/d1");
    device.puback(device.receive(), reason);
    EXPECT_EQ(gateway.outcome(ticket).disposition, disposition) << static_cast<int>(reason);
  }
}

TEST(Deliver, AcknowledgementsOfNothingAreIgnored) {
  RunningGateway gateway;
  auto device = gateway.device();
  device.send(packet(0x40, "0005"));
  EXPECT_TRUE(device.is_quiet());
}

TEST(Deliver, CancellingTakesBackWhatWaitsOnly) {
  RunningGateway gateway;
  auto device = gateway.device({.receive_maximum = 1});
  const uint64_t sent = gateway.push("demo/d1", message(1));
  const uint64_t waiting = gateway.push("demo/d1", message(2));
  const Packet packet = device.receive();
  EXPECT_TRUE(device.is_quiet());
  gateway.cancel(waiting);
  gateway.cancel(sent);
  EXPECT_EQ(gateway.outcome(waiting).disposition, uint32_t{GW_CANCELLED});
  device.puback(packet);
  EXPECT_EQ(gateway.outcome(sent).disposition, uint32_t{GW_DELIVERED}) << "the truth";
}

TEST(Deliver, ADeviceThatDoesNotReadIsCutOffAndItsMessagesAreSettled) {
  RunningGateway gateway(R"({"device_window": 100, "device_queue": 250})");
  Device device(gateway.port(), 4096);
  ASSERT_EQ(device.connect({.keep_alive_s = 6000}).code, 0);
  gateway.wait_heard(GW_EVENT_PRESENCE, 1);
  std::vector<uint64_t> tickets;
  ParcelSpec large = message(1);
  large.content = R"({"data":{"x":")" + std::string(60'000, 'x') + R"("}})";
  for (int i = 0; i < 250; ++i) tickets.push_back(gateway.push("demo/d1", large));
  ASSERT_TRUE(gateway.wait_and_pass([&] { return gateway.presence("demo/d1") == "on off"; }));
  bool some_never_left = false;
  for (uint64_t ticket : tickets) {
    const uint32_t how = gateway.outcome(ticket).disposition;
    EXPECT_TRUE(how == GW_UNKNOWN || how == GW_UNREACHABLE);
    some_never_left = some_never_left || how == GW_UNREACHABLE;
  }
  EXPECT_TRUE(some_never_left);
}

TEST(Deliver, ABatchForManyDevicesReachesEachOfThem) {
  RunningGateway gateway(R"({"reactors": 4, "connect_rate": 0})");
  constexpr int kDevices = 100;
  std::vector<Device> devices;
  std::vector<ParcelSpec> batch;
  for (int i = 0; i < kDevices; ++i) {
    const std::string name = "d" + std::to_string(i);
    devices.emplace_back(gateway.port());
    ASSERT_EQ(devices.back().connect({.device = name}).code, 0);
  }
  gateway.wait_heard(GW_EVENT_PRESENCE, kDevices);
  for (int round = 0; round < 8; ++round)
    for (int i = 0; i < kDevices; ++i) {
      ParcelSpec spec = message(round);
      spec.addresses = {"demo/d" + std::to_string(i)};
      batch.push_back(spec);
    }
  ASSERT_EQ(gateway.submit(batch, 600 * kSecond), GW_OK);
  for (Device& device : devices)
    for (int round = 0; round < 8; ++round) device.puback(device.receive());
  ASSERT_TRUE(gateway.wait([&] { return gateway.host().settle_count() >= 800; }));
  for (const Settled& how : gateway.host().settled()) EXPECT_EQ(how.disposition, uint32_t{GW_DELIVERED});
  EXPECT_TRUE(gateway.host().misbehaviours().empty());
}

TEST(Deliver, MessageMemoryIsNotTouchedAfterItsEnd) {
  RunningGateway gateway;
  gateway.guard_memory(godwit::testhost::Guard::at_settle);
  auto device = gateway.device({.receive_maximum = 2});
  for (int i = 0; i < 20; ++i) gateway.push("demo/d1", message(i), i % 3 == 0 ? 5 : 600);
  for (int i = 0; i < 5; ++i) device.puback(device.receive());
  gateway.pass(6);
  device.close();
  EXPECT_TRUE(gateway.wait([&] { return gateway.host().open_targets() == 0; }));
}

}  // namespace
}  // namespace selfconn::testing
