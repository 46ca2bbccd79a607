// The fast way to a payload and the tree make the same JSON, or the fast way says that it is not its business.
#include "payload.hpp"

#include <gtest/gtest.h>

#include "push.hpp"
#include "sdk/testhost/parcel.hpp"

namespace apns {
namespace {

using godwit::Json;
using godwit::testhost::Parcel;
using godwit::testhost::ParcelSpec;

struct Both {
  bool plain = false;
  std::string fast, tree;
};

Both write_both(ParcelSpec spec, const Config& config = {}) {
  spec.addresses = {std::string(64, 'a')};
  const Parcel parcel(spec, 1, 0);
  const godwit::Message message(parcel.message());
  Both both;
  both.plain = write_payload(config, message, both.fast);
  if (auto rendered = render_by_tree(config, message, 0)) both.tree = rendered->body;
  return both;
}

// Plain, and the same as the tree's.
void expect_same(const ParcelSpec& spec, const Config& config = {}) {
  const Both both = write_both(spec, config);
  ASSERT_TRUE(both.plain) << spec.content;
  ASSERT_NE(both.tree, "") << spec.content;
  EXPECT_EQ(Json::parse(both.fast), Json::parse(both.tree)) << both.fast;
}

constexpr const char* kWhole =
    R"({"notification":{"title":"Ada \"L\" \\ \b\f\n\r\t\u0001\u007f","subtitle":"é中😀","body":"x/y","badge":3,
  "sound":"default","thread_id":"t","category":"c","link":"chat://1","image":"https://i","unknown":{"a":[1]}},
  "data":{"n":-7,"big":18446744073709551615,"t":true,"f":false,"z":null,"list":[1,"2",[],{}],"o":{"k":{"l":"m"}},
  "aps":"never","message_id":"never","link":"covered","image":"covered","":"empty key"},"else":1})";

TEST(Payload, IsTheTreesForAWholeNotification) {
  for (const uint32_t priority : {0u, 1u, 2u, 3u}) expect_same({.content = kWhole, .priority = priority});
  Config quiet;
  quiet.arrival_receipts = false;
  expect_same({.content = kWhole}, quiet);
  expect_same({.content = R"({"notification":{"title":"no image"}})"}, quiet);
}

TEST(Payload, IsTheTreesForSilentMessagesAndForPartsOfOne) {
  expect_same({.content = R"({"data":{"sync":"inbox"}})", .flags = GW_MSG_SILENT});
  expect_same({.content = R"({"notification":{"title":"not shown","link":"x"}})", .flags = GW_MSG_SILENT});
  expect_same({.content = R"({"notification":{"badge":0}})"});
  expect_same({.content = R"({"notification":{"sound":"s"},"data":"not an object"})"});
  expect_same({.content = R"({"notification":{"title":null}})"});
  expect_same(
      {.content = R"({"notification":{"title":"x","title_loc_key":"T","title_loc_args":["a"],"subtitle_loc_key":"S",
     "body":"y","body_loc_key":"B","body_loc_args":["b","c"]}})"});
}

TEST(Payload, LeavesToTheTreeWhatIsNotPlain) {
  EXPECT_FALSE(write_both({.vendor_options = R"({"x":1})"}).plain);
  EXPECT_FALSE(write_both({.content = R"({"notification":{"title":"x"},"data":{"price":1.5}})"}).plain);
  EXPECT_FALSE(write_both({.content = R"({"notification":{"title":"x"},"data":{"a":1,"a":2}})"}).plain);
  EXPECT_FALSE(write_both({.content = R"({"notification":{"title":"x","title":"y"}})"}).plain);
  EXPECT_FALSE(write_both({.content = R"({"notification":{"title":"x"},"data":{"o":[{"a":1,"a":2}]}})"}).plain);
  EXPECT_FALSE(write_both({.content = R"({"notification":{}})"}).plain) << "nothing to show: the tree has the words";
  EXPECT_FALSE(write_both({.content = "{\"notification\":{\"title\":\"\xff\"}}"}).plain);
  for (const char* broken : {"", "[1]", "{",
                             R"({"notification":{"title":"x"}} )"
                             "x"})
    EXPECT_FALSE(write_both({.content = broken}).plain) << broken;
}

}  // namespace
}  // namespace apns
