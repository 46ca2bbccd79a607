// The smaller parsers: receipts, switches, batches, queries, spans of JSON text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/api/parse/batch_splitter.hpp"
#include "broker/api/parse/json_spans.hpp"
#include "broker/api/parse/parse_receipts.hpp"
#include "broker/api/parse/query.hpp"

namespace godwit {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr WallMs kNow = 1'790'000'000'000;
const std::string kId = MessageId::make(kNow, 1, {2, 3}).text();

TEST(ParseReceipts, ReadsAList) {
  Faults faults;
  const auto list = parse_receipts(R"([{"message_id":")" + kId + R"(","device_id":"d1","event":"opened",)" +
                                       R"("at":"2026-09-21T14:13:19Z"},{"message_id":")" + kId +
                                       R"(","device_id":"d2","event":"delivered","at":"2030-01-01T00:00:00Z"}])",
                                   32, "", kNow, faults);
  ASSERT_TRUE(list) << faults.summary();
  EXPECT_EQ(list->at(0).device_id, "d1");
  EXPECT_EQ(list->at(0).event, ReceiptEvent::opened);
  EXPECT_EQ(list->at(0).at_ms, kNow - 1000);
  EXPECT_EQ(list->at(1).at_ms, kNow) << "a device's clock may run ahead";
}

TEST(ParseReceipts, ADeviceNeedNotNameItself) {
  Faults faults;
  const auto list = parse_receipts(R"([{"message_id":")" + kId + R"(","event":"delivered"}])", 32, "me", kNow, faults);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->at(0).device_id, "me");
}

TEST(ParseReceipts, EveryFieldWrongInTurnIsNamed) {
  const std::string good_id = R"("message_id":")" + kId + "\"";
  std::string many = "[";
  for (int i = 0; i < 1001; ++i) many += i ? ",{}" : "{}";
  const std::pair<std::string, const char*> cases[] = {
      {"{}", "type "},
      {"[1]", "type /0"},
      {many + "]", "length "},
      {"[{" + good_id + R"(,"event":"delivered"}])", "required /0/device_id"},
      {R"([{"device_id":"d","event":"delivered"}])", "required /0/message_id"},
      {"[{" + good_id + R"(,"device_id":"d"}])", "required /0/event"},
      {R"([{"message_id":"x","device_id":"d","event":"delivered"}])", "format /0/message_id"},
      {"[{" + good_id + R"(,"device_id":"a b","event":"delivered"}])", "format /0/device_id"},
      {"[{" + good_id + R"(,"device_id":"d","event":"read"}])", "not_one_of /0/event"},
      {"[{" + good_id + R"(,"device_id":"d","event":"opened","at":"now"}])", "format /0/at"},
      {"[{" + good_id + R"(,"device_id":"d","event":"opened","time":1}])", "unknown_member /0/time"},
  };
  for (const auto& [json, fault] : cases) {
    Faults faults;
    EXPECT_FALSE(parse_receipts(json, 32, "", kNow, faults)) << json;
    ASSERT_FALSE(faults.empty()) << json;
    EXPECT_EQ(faults.list()[0].code + " " + faults.list()[0].pointer, fault) << json;
  }
}

TEST(ParseChannelSwitch, TakesTheThreeStates) {
  Faults faults;
  EXPECT_EQ(parse_channel_switch(R"({"state":"draining"})", 32, faults), "draining");
  for (const char* bad : {"{}", R"({"state":"off"})", R"({"state":1})", R"({"stat":"enabled"})", "[]", "x"}) {
    Faults wrong;
    EXPECT_FALSE(parse_channel_switch(bad, 32, wrong)) << bad;
    EXPECT_FALSE(wrong.empty());
  }
}

std::vector<std::string> split(BatchSplitter::Format format, std::string_view body, size_t piece, size_t max = 20,
                               std::string* broken = nullptr) {
  BatchSplitter splitter(format, max);
  std::vector<std::string> out;
  const auto sink = [&](std::string_view text, bool too_long) {
    out.push_back(too_long ? "too long" : std::string(text));
  };
  for (size_t at = 0; at < body.size(); at += piece) splitter.feed(body.substr(at, piece), sink);
  splitter.end(sink);
  if (broken) *broken = splitter.broken();
  return out;
}

TEST(BatchSplitter, CutsLinesHoweverTheyArrive) {
  const std::string body = "{\"a\":1}\r\n\n" + std::string(50, ' ') + "\n" + std::string(30, 'x') + "\n{}\nlast";
  for (size_t piece = 1; piece <= body.size(); ++piece)
    EXPECT_THAT(split(BatchSplitter::Format::lines, body, piece), ElementsAre("{\"a\":1}\r", "too long", "{}", "last"))
        << piece;
}

TEST(BatchSplitter, CutsAnArrayHoweverItArrives) {
  const std::string body = R"( [{"a":"],}\"["} , [1,{"b":2}],)" + std::string(30, 'x') + ",true ] \n";
  for (size_t piece = 1; piece <= body.size(); ++piece)
    EXPECT_THAT(split(BatchSplitter::Format::array, body, piece),
                ElementsAre(R"({"a":"],}\"["} )", R"([1,{"b":2}])", "too long", "true "))
        << piece;
  EXPECT_THAT(split(BatchSplitter::Format::array, "[ ]", 1), IsEmpty());
}

TEST(BatchSplitter, SaysWhatIsWrongWithAnArray) {
  for (const char* body : {"", "{}", "[1", "[1] 2", "[1}", "[\"a"}) {
    std::string broken;
    split(BatchSplitter::Format::array, body, 1, 20, &broken);
    EXPECT_FALSE(broken.empty()) << body;
  }
}

TEST(Query, DecodesAndChecks) {
  Faults faults;
  const Query q("a=1&name=a%20b+c&window=24h&empty=", faults);
  EXPECT_TRUE(faults.empty());
  EXPECT_EQ(q.text("name"), "a b c");
  EXPECT_EQ(q.integer("a", 7, 0, 9, faults), 1);
  EXPECT_EQ(q.integer("missing", 7, 0, 9, faults), 7);
  EXPECT_EQ(q.duration_ms("window", 0, 90LL * 86'400'000, faults), 86'400'000);
  EXPECT_TRUE(faults.empty());
  q.integer("name", 0, 0, 9, faults);
  q.integer("empty", 0, 0, 9, faults);
  q.duration_ms("a", 0, 86'400'000, faults);
  ASSERT_EQ(faults.list().size(), 3u);
  EXPECT_EQ(faults.list()[0].pointer, "query:name");
}

TEST(Query, BrokenEscapesAndRepeatsAreFaults) {
  for (const char* raw : {"a=%", "a=%2", "a=%zz", "a=%ff", "a=1&a=2"}) {
    Faults faults;
    const Query q(raw, faults);
    EXPECT_FALSE(faults.empty()) << raw;
  }
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "p" + std::to_string(i) + "&";
  Faults faults;
  EXPECT_EQ(Query(many, faults).all().size(), 32u);
}

TEST(JsonSpans, EndsEarlyOnWhatIsNotJson) {
  for (const char* text : {"", "{", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":[", "{\"a\":\"\\", "[1]", "{a:1}"}) {
    JsonSpans spans(text);
    std::string_view key, value;
    int n = 0;
    while (spans.next(key, value) && n < 10) ++n;
    EXPECT_LT(n, 2) << text;
  }
}

}  // namespace
}  // namespace godwit
