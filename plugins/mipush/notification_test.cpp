#include "notification.hpp"

#include <gtest/gtest.h>

#include <godwit/json.hpp>

#include "sdk/testhost/parcel.hpp"

namespace mipush {
namespace {

using godwit::testhost::Parcel;
using godwit::testhost::ParcelSpec;

Config shop() {
  Config c;
  c.package_name = "com.example.shop";
  c.classes = {{"100001", false, {}, {}}, {"100002", true, "T7", {"order"}}};
  return c;
}

Form form_of(const Config& config, const ParcelSpec& spec) {
  const Parcel parcel(spec, 1, 0);
  const auto fields = fields_of(config, godwit::Message(parcel.message()));
  EXPECT_TRUE(fields) << (fields ? "" : fields.error().message);
  return fields ? fields->form : Form();
}

std::string value(const Form& form, std::string_view name) {
  const std::string* found = form.find(name);
  return found ? *found : "(absent)";
}

// Section 10 of the contract page, but for the targets and the callback.
TEST(Notification, TheWorkedExample) {
  Config c = shop();
  c.callback_url = "http://push.example.com/r/mi";
  c.callback_path = "k9x";
  const Form f = form_of(
      c, {.message_id = "m-42",
          .content =
              R"({"notification":{"title":"Order shipped","body":"Parcel 42 is on its way"},"data":{"order":"42"}})",
          .ttl_ms = 86'400'000});
  EXPECT_EQ(value(f, "restricted_package_name"), "com.example.shop");
  EXPECT_EQ(value(f, "pass_through"), "0");
  EXPECT_EQ(value(f, "title"), "Order shipped");
  EXPECT_EQ(value(f, "description"), "Parcel 42 is on its way");
  EXPECT_EQ(value(f, "notify_type"), "-1");
  EXPECT_EQ(value(f, "time_to_live"), "86400000");
  EXPECT_EQ(value(f, "payload"), R"({"order":"42"})");
  EXPECT_EQ(value(f, "extra.order"), "42");
  EXPECT_EQ(value(f, "extra.notify_effect"), "1");
  EXPECT_EQ(value(f, "extra.channel_id"), "100001");
  EXPECT_EQ(value(f, "extra.callback"), "http://push.example.com/r/mi/k9x");
  EXPECT_EQ(value(f, "extra.callback.param"), "m-42");
  EXPECT_EQ(value(f, "extra.callback.type"), "243");
}

TEST(Notification, TextsAreCutByCharactersAndNeverBlank) {
  std::string title, body;
  for (int i = 0; i < 60; ++i) title += "字";
  for (int i = 0; i < 200; ++i) body += "x";
  const Form f =
      form_of(shop(), {.content = R"({"notification":{"title":")" + title + R"(","body":")" + body + R"("}})"});
  EXPECT_EQ(value(f, "title").size(), 49u * 3);
  EXPECT_EQ(value(f, "description").size(), 127u);
  const Form bare = form_of(shop(), {.content = R"({"notification":{"title":"  "}})"});
  EXPECT_EQ(value(bare, "title"), "com.example.shop");
  EXPECT_EQ(value(bare, "description"), "com.example.shop");
}

TEST(Notification, TheCategoryChoosesTheClassAndTheClassTheTimeToLive) {
  const uint64_t week = 7 * UINT64_C(86'400'000);
  const Form news = form_of(shop(), {.content = R"({"notification":{"title":"x"}})", .ttl_ms = week});
  EXPECT_EQ(value(news, "extra.channel_id"), "100001");
  EXPECT_EQ(value(news, "time_to_live"), "86400000");
  const Form order =
      form_of(shop(), {.content = R"({"notification":{"title":"x","category":"order"}})", .ttl_ms = week});
  EXPECT_EQ(value(order, "extra.channel_id"), "100002");
  EXPECT_EQ(value(order, "extra.template_id"), "T7");
  EXPECT_EQ(value(order, "time_to_live"), "604800000");
  const Form now = form_of(shop(), {.ttl_ms = 0});
  EXPECT_EQ(value(now, "extra.only_send_once"), "1");
  EXPECT_EQ(value(now, "time_to_live"), "(absent)");
}

TEST(Notification, LinksOpenThePageOrTheApp) {
  const auto link = [](const char* text) {
    return form_of(shop(), {.content = std::string(R"({"notification":{"title":"x","link":")") + text + "\"}}"});
  };
  EXPECT_EQ(value(link("https://shop.example/42"), "extra.notify_effect"), "3");
  EXPECT_EQ(value(link("https://shop.example/42"), "extra.web_uri"), "https://shop.example/42");
  EXPECT_EQ(value(link("app://order/42"), "extra.notify_effect"), "2");
  EXPECT_EQ(value(link("app://order/42"), "extra.intent_uri"),
            "intent://order/42#Intent;scheme=app;package=com.example.shop;end");
  EXPECT_EQ(value(link("intent:#Intent;component=a/b;end"), "extra.intent_uri"), "intent:#Intent;component=a/b;end");
}

TEST(Notification, SoundAndBadge) {
  const Form quiet = form_of(shop(), {.content = R"({"notification":{"title":"x","sound":"none","badge":3}})"});
  EXPECT_EQ(value(quiet, "notify_type"), "6");
  EXPECT_EQ(value(quiet, "extra.badge"), "3");
  const Form bell = form_of(shop(), {.content = R"({"notification":{"title":"x","sound":"bell.mp3"}})"});
  EXPECT_EQ(value(bell, "notify_type"), "-1");
  EXPECT_EQ(value(bell, "extra.sound_uri"), "android.resource://com.example.shop/raw/bell");
}

TEST(Notification, TheSameCollapseKeyReplacesWhatIsShown) {
  const Form a = form_of(shop(), {.message_id = "m1", .collapse_key = "order-42"});
  const Form b = form_of(shop(), {.message_id = "m2", .collapse_key = "order-42"});
  const Form c = form_of(shop(), {.message_id = "m3"});
  EXPECT_EQ(value(a, "notify_id"), value(b, "notify_id"));
  EXPECT_NE(value(a, "notify_id"), value(c, "notify_id"));
  EXPECT_EQ(notify_id("order-42"), notify_id("order-42"));
  EXPECT_LE(notify_id("x"), 0x7fffffffu);
}

// 65014 and 65015: ten pairs, 1024 characters, ours counted too.
TEST(Notification, DataThatDoesNotFitIntoExtrasGoesIntoThePayloadOnly) {
  godwit::Json data;
  for (int i = 0; i < 9; ++i) data["key" + std::to_string(i)] = "v";
  const Form many = form_of(shop(), {.content = godwit::Json{{"data", data}}.dump()});
  EXPECT_EQ(value(many, "extra.key1"), "(absent)");
  EXPECT_EQ(value(many, "payload"), data.dump());
  const Form spoof = form_of(shop(), {.content = R"({"data":{"callback":"http://evil.example","a":"b"}})"});
  EXPECT_EQ(value(spoof, "extra.callback"), "(absent)");
  EXPECT_EQ(value(spoof, "extra.a"), "(absent)");
  const Form nested = form_of(shop(), {.content = R"({"data":{"n":5,"o":{"p":1}}})"});
  EXPECT_EQ(value(nested, "extra.n"), "5");
  EXPECT_EQ(value(nested, "extra.o"), R"({"p":1})");
}

TEST(Notification, DataOfFourKilobytesIsRefused) {
  const Parcel parcel({.content = R"({"data":{"x":")" + std::string(4096, 'x') + "\"}}"}, 1, 0);
  const auto fields = fields_of(shop(), godwit::Message(parcel.message()));
  ASSERT_FALSE(fields);
  EXPECT_NE(fields.error().message.find("4095"), std::string::npos);
}

TEST(Notification, OverridesSpeakXiaomisNamesButNotForTheTarget) {
  const Form f = form_of(
      shop(),
      {.vendor_options =
           R"({"notify_type":1,"registration_id":"evil","extra":{"ticker":"t","callback":"x"},"extra.connpt":"wifi"})"});
  EXPECT_EQ(value(f, "notify_type"), "1");
  EXPECT_EQ(value(f, "extra.ticker"), "t");
  EXPECT_EQ(value(f, "extra.connpt"), "wifi");
  EXPECT_EQ(value(f, "registration_id"), "(absent)");
  EXPECT_EQ(value(f, "extra.callback"), "(absent)");
}

}  // namespace
}  // namespace mipush
