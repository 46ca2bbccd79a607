#include "broker/channels/config_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <nlohmann/json.hpp>

namespace godwit::channels {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using Json = nlohmann::json;

constexpr std::string_view kSchema = R"({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object", "additionalProperties": false, "required": ["key_id"],
  "properties": {
    "key_id": {"type": "string", "minLength": 10, "maxLength": 10},
    "key": {"type": "string", "format": "godwit-secret"},
    "environment": {"enum": ["production", "sandbox"], "default": "production"},
    "window": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100, "x-godwit-live": true},
    "ratio": {"type": "number", "exclusiveMinimum": 0},
    "origin": {"type": "string", "pattern": "^https?://"},
    "tls": {
      "type": "object", "additionalProperties": false,
      "properties": {
        "key": {"type": "string", "format": "godwit-secret"},
        "verify": {"type": "boolean", "default": true}
      }
    },
    "topics": {"type": "array", "maxItems": 2, "items": {"type": "string", "minLength": 1}},
    "latency": {"$ref": "#/definitions/latency", "default": 0, "x-godwit-live": true},
    "names": {"type": "object", "additionalProperties": {"type": "number"}}
  },
  "definitions": {
    "latency": {"oneOf": [
      {"type": "number", "minimum": 0},
      {"type": "object", "additionalProperties": false, "required": ["median_ms"], "properties": {"median_ms": {"type": "number"}}}
    ]}
  }
})";

std::vector<std::string> faults_of(std::string_view config, std::string_view schema = kSchema) {
  std::vector<ConfigFault> faults;
  const bool prepared = prepare_config(schema, config, faults).has_value();
  EXPECT_EQ(prepared, faults.empty());
  std::vector<std::string> lines;
  for (const ConfigFault& f : faults) lines.push_back(f.pointer + " " + f.text);
  return lines;
}

PreparedConfig prepared(std::string_view config) {
  std::vector<ConfigFault> faults;
  std::optional<PreparedConfig> made = prepare_config(kSchema, config, faults);
  EXPECT_TRUE(made) << (faults.empty() ? "" : faults[0].pointer + " " + faults[0].text);
  return made.value_or(PreparedConfig{});
}

TEST(ConfigCheck, FillsInDefaultsDeeply) {
  const Json json = Json::parse(prepared(R"({"key_id": "ABCDEFGHIJ", "tls": {}})").json);
  EXPECT_EQ(json, Json::parse(R"({"key_id": "ABCDEFGHIJ", "environment": "production", "window": 100, "latency": 0,
                                  "tls": {"verify": true}})"));
}

TEST(ConfigCheck, WithoutThePropertyThatReceiptsNeedNoneAreExpected) {
  constexpr std::string_view kWithReceipts = R"({"type": "object", "x-godwit-receipts-need": "callback_url",
    "properties": {"callback_url": {"type": "string"}}})";
  const auto off = [](std::string_view schema, std::string_view config) {
    std::vector<ConfigFault> faults;
    return receipts_are_off(schema, prepare_config(schema, config, faults).value());
  };
  EXPECT_TRUE(off(kWithReceipts, "{}"));
  EXPECT_TRUE(off(kWithReceipts, R"({"callback_url": ""})"));
  EXPECT_FALSE(off(kWithReceipts, R"({"callback_url": "http://push.example.com/cb"})"));
  EXPECT_FALSE(off(R"({"type": "object"})", "{}"));
}

TEST(ConfigCheck, HandsSecretsOverAsNames) {
  const PreparedConfig config =
      prepared(R"({"key_id": "ABCDEFGHIJ", "key": "${file:/k.p8}", "tls": {"key": "hunter2"}})");
  EXPECT_THAT(config.secrets, ElementsAre(Pair("key", "${file:/k.p8}"), Pair("tls/key", "hunter2")));
  const Json json = Json::parse(config.json);
  EXPECT_EQ(json["key"], "key");
  EXPECT_EQ(json["tls"]["key"], "tls/key");
  EXPECT_EQ(config.json.find("hunter2"), std::string::npos);
}

TEST(ConfigCheck, ResolvesReferencesInWhatIsNoSecret) {
  setenv("GODWIT_TEST_ORIGIN", "https://example.com", 1);
  const Json json = Json::parse(prepared(R"({"key_id": "ABCDEFGHIJ", "origin": "${env:GODWIT_TEST_ORIGIN}"})").json);
  EXPECT_EQ(json["origin"], "https://example.com");
  EXPECT_THAT(
      faults_of(R"({"key_id": "ABCDEFGHIJ", "origin": "${env:GODWIT_NOT_SET}"})"),
      ::testing::Contains(::testing::AllOf(::testing::StartsWith("/origin "), ::testing::HasSubstr("GODWIT_NOT_SET"))));
}

TEST(ConfigCheck, NamesTheNearestKnownKey) {
  EXPECT_THAT(faults_of(R"({"key_id": "ABCDEFGHIJ", "windw": 5, "tls": {"verfy": false}, "zzz": 1})"),
              ElementsAre("/windw is no known property (did you mean 'window'?)", "/zzz is no known property",
                          "/tls/verfy is no known property (did you mean 'verify'?)"));
}

TEST(ConfigCheck, SaysWhatWasExpectedAndWhatWasThere) {
  const auto fault = [](const std::string& member) {
    const auto all = faults_of(R"({"key_id": "ABCDEFGHIJ", )" + member + "}");
    EXPECT_EQ(all.size(), 1u) << member;
    return all.empty() ? "" : all.front();
  };
  EXPECT_EQ(fault(R"("window": "many")"), "/window must be an integer, got \"many\"");
  EXPECT_EQ(fault(R"("window": 0)"), "/window must be at least 1, got 0");
  EXPECT_EQ(fault(R"("window": 1001)"), "/window must be at most 1000, got 1001");
  EXPECT_EQ(fault(R"("window": 1.5)"), "/window must be an integer, got 1.5");
  EXPECT_EQ(fault(R"("ratio": 0)"), "/ratio must be greater than 0, got 0");
  EXPECT_EQ(fault(R"("environment": "test")"), "/environment must be one of \"production\", \"sandbox\", got \"test\"");
  EXPECT_EQ(fault(R"("origin": "example.com")"), "/origin must match \"^https?://\", got \"example.com\"");
  EXPECT_EQ(fault(R"("tls": {"verify": "yes"})"), "/tls/verify must be true or false, got \"yes\"");
  EXPECT_EQ(fault(R"("tls": [])"), "/tls must be an object, got a list");
  EXPECT_EQ(fault(R"("topics": ["a", ""])"), "/topics/1 must not be empty");
  EXPECT_EQ(fault(R"("topics": ["a", "b", "c"])"), "/topics must have at most 2 elements");
  EXPECT_EQ(fault(R"("names": {"a/b": "x"})"), "/names/a~1b must be a number, got \"x\"");
  EXPECT_THAT(faults_of(R"({"key_id": "AB"})"), ElementsAre("/key_id must have at least 10 characters, got 2"));
  EXPECT_THAT(faults_of("{}"), ElementsAre("/key_id is missing"));
}

TEST(ConfigCheck, ReportsAllFaultsAtOnce) {
  EXPECT_THAT(
      faults_of(R"({"window": 0, "ratio": -1, "no": 1})"),
      ::testing::UnorderedElementsAre("/no is no known property", "/key_id is missing",
                                      "/window must be at least 1, got 0", "/ratio must be greater than 0, got -1"));
}

TEST(ConfigCheck, TakesEitherOfTwoForms) {
  EXPECT_THAT(faults_of(R"({"key_id": "ABCDEFGHIJ", "latency": {"median_ms": 5}})"), IsEmpty());
  EXPECT_THAT(faults_of(R"({"key_id": "ABCDEFGHIJ", "latency": "soon"})"),
              ElementsAre("/latency must be a number or an object, got \"soon\""));
  EXPECT_THAT(faults_of(R"({"key_id": "ABCDEFGHIJ", "latency": {"median": 5}})"),
              ElementsAre("/latency fits none of its allowed forms", "/latency/median_ms is missing"));
}

TEST(ConfigCheck, KnowsWhichPropertiesAreLive) {
  const PreparedConfig config = prepared(R"({"key_id": "ABCDEFGHIJ"})");
  EXPECT_TRUE(config.properties.at("window").live);
  EXPECT_TRUE(config.properties.at("latency").live);
  EXPECT_FALSE(config.properties.at("key_id").live);
  EXPECT_EQ(config.properties.at("window").value, "100");
}

TEST(ConfigCheck, SurvivesWhatIsNoConfigurationAndNoSchema) {
  for (const char* config : {"", "[]", "3", "{", "null", "{\"a\":}"})
    EXPECT_THAT(faults_of(config), ElementsAre(" the configuration must be an object")) << config;
  for (const char* schema :
       {"", "[]", R"({"properties": 3})", R"({"properties": {"a": 3}})", R"({"type": "nonsense"})", R"({"$ref": "#"})",
        R"({"$ref": "#/no"})", R"({"properties": {"a": {"$ref": "#/properties/a"}}})",
        R"({"properties": {"a": {"default": {}, "$ref": "#"}}})"})
    faults_of(R"({"a": {"a": 1}})", schema);  // any answer but a crash
}

}  // namespace
}  // namespace godwit::channels
