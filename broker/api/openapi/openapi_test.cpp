// The document against what the code does: routes, parsers' members, views' members, problems. That it is valid OpenAPI
// and that its examples fit its schemas is checked by openapi_check.py, with a JSON Schema library that we did not
// write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "broker/api/openapi/document.hpp"
#include "broker/api/parse/parse_device.hpp"
#include "broker/api/parse/parse_message.hpp"
#include "broker/api/problem.hpp"
#include "broker/api/routes/route.hpp"
#include "broker/api/views.hpp"

namespace godwit {
namespace {

using nlohmann::json;

const json& document() {
  static const json out = json::parse(openapi_document());
  return out;
}
const json& schema(const std::string& name) {
  return document()["components"]["schemas"].at(name);
}

std::set<std::string> members_of(const json& schema) {
  std::set<std::string> out;
  for (const auto& [name, value] : schema["properties"].items()) out.insert(name);
  return out;
}
std::set<std::string> names(std::span<const std::string_view> list) {
  return {list.begin(), list.end()};
}

// The members that a view writes, when everything that is optional is there.
template <class Write, class Value>
std::set<std::string> written(Write write, const Value& value) {
  std::string text;
  JsonWriter writer(text);
  write(writer, value);
  const json parsed = json::parse(text);
  std::set<std::string> out;
  for (const auto& [name, v] : parsed.items()) out.insert(name);
  return out;
}

TEST(OpenApi, EveryRouteIsThereOnce) {
  std::set<std::string> ids;
  size_t operations = 0;
  for (const auto& [path, item] : document()["paths"].items()) {
    for (const auto& [method, operation] : item.items()) {
      ++operations;
      EXPECT_TRUE(ids.insert(operation["operationId"]).second) << operation["operationId"];
      EXPECT_FALSE(operation["summary"].get<std::string>().empty());
    }
  }
  for (const Route* route : all_routes()) {
    EXPECT_TRUE(ids.count(std::string(route->id))) << route->id;
    if (route->any_method) operations -= 2;
  }
  EXPECT_EQ(operations, all_routes().size());
}

TEST(OpenApi, WhatIsReadIsWhatIsDocumented) {
  EXPECT_EQ(members_of(schema("Message")), names(message_members::top()));
  EXPECT_EQ(members_of(schema("Audience")), names(message_members::to()));
  EXPECT_EQ(members_of(schema("Notification")), names(message_members::notification()));
  EXPECT_EQ(members_of(schema("Options")), names(message_members::options()));
  EXPECT_EQ(members_of(schema("DeviceState")), names(device_members()));
  EXPECT_EQ(members_of(schema("DevicePatch")), names(device_members()));
}

TEST(OpenApi, WhatIsWrittenIsWhatIsDocumented) {
  Device device;
  for (std::string* text : {&device.id, &device.user_id, &device.platform, &device.manufacturer, &device.model,
                            &device.os_version, &device.app_version, &device.locale, &device.timezone, &device.network})
    *text = "x";
  device.location.emplace();
  device.created_ms = device.updated_ms = 1;
  EXPECT_EQ(written(write_device, device), members_of(schema("Device")));

  Message message;
  message.content = R"({"notification":{},"data":{}})";
  message.to.names = {"u"};
  message.overrides = {{"apns", "{}"}};
  message.accepted_ms = 1;
  message.deliver_at_ms = 2;
  MessageView view;
  view.message = std::make_shared<Message>(message);
  view.recalls.asked = 1;
  EXPECT_EQ(written(write_message, view), members_of(schema("MessageView")));

  DeliveryView delivery{"d", "u", DeliveryState::failed, "r", 1, 2, {}, {}};
  delivery.attempts.push_back({"c", 1, 1, 2, "rejected", 400, "v", "c", "d", "w", "{}"});
  delivery.receipts.push_back({ReceiptEvent::delivered, ReceiptSource::device, "c", 2});
  EXPECT_EQ(written(write_delivery, delivery), members_of(schema("Delivery")));
  std::string text;
  JsonWriter writer(text);
  write_delivery(writer, delivery);
  const json written_delivery = json::parse(text);
  for (const auto& [list, name] : {std::pair{"attempts", "Attempt"}, std::pair{"receipts", "Receipt"}}) {
    std::set<std::string> got;
    for (const auto& [member, v] : written_delivery[list][0].items()) got.insert(member);
    EXPECT_EQ(got, members_of(schema(name))) << name;
  }

  InboxItem item{std::make_shared<Message>(message), "c"};
  EXPECT_EQ(written(write_inbox_item, item), members_of(schema("InboxItem")));
  ChannelView channel;
  channel.held_until_ms = 1;
  channel.hold_reason = channel.state_reason = "r";
  channel.troubles = {{"delivers_less", "m", "o", "r", 1, 0.5}};
  EXPECT_EQ(written(write_channel, channel), members_of(schema("Channel")));
  EXPECT_EQ(written(write_reload, ReloadReport{}), members_of(schema("ChannelReload")));
  text.clear();
  JsonWriter channel_writer(text);
  write_channel(channel_writer, channel);
  const json written_channel = json::parse(text);
  std::set<std::string> trouble;
  for (const auto& [member, v] : written_channel["troubles"][0].items()) trouble.insert(member);
  EXPECT_EQ(trouble, members_of(schema("ChannelTrouble")));
  EXPECT_EQ(written(write_event, LifeEvent{1, "a", {}, "d", "sent", "c", "d"}), members_of(schema("LifeEvent")));
}

TEST(OpenApi, EveryProblemThatTheCodeKnowsHasItsAnswer) {
  for (const ProblemKind& kind : all_problem_kinds())
    EXPECT_TRUE(document()["components"]["responses"].contains("Problem" + std::to_string(kind.status))) << kind.name;
}

TEST(OpenApi, IsWrittenForTheOutsideCheck) {
  std::ofstream("openapi.json") << openapi_document();
}

}  // namespace
}  // namespace godwit
