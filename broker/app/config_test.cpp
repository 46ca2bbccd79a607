#include "broker/app/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace godwit {
namespace {

using testing::HasSubstr;

constexpr const char* kGood = R"(data_dir: /var/lib/godwit
http:
  listen: 127.0.0.1:8480
admin_keys: [0123456789abcdef]
apps:
  - id: shop
    server_keys: [server-key-0123456789]
    client_keys: ["sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]
    channels: [own]
channels:
  - name: own
    plugin: selfconn
    prior: 0.9
    path: sms
    manufacturer_priors: {xiaomi: 0.5}
    config:
      tcp: 127.0.0.1:1883
      window: 100
      deep: {secret: "${env:NOT_EXPANDED_HERE}", list: [1, "2", true]}
limits: {body: 128KiB, default_ttl: 2h}
)";

std::vector<std::string> faults_of(const std::string& text) {
  std::vector<std::string> out;
  for (const ConfigFault& f : parse_config(text, "godwit.yaml").faults) out.push_back(f.line_text("godwit.yaml"));
  return out;
}

// The faults of the good configuration with one text replaced by another.
std::vector<std::string> faults_with(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  return faults_of(text);
}

TEST(Config, ReadsEverySection) {
  const ConfigResult result = parse_config(kGood, "godwit.yaml");
  ASSERT_TRUE(result.faults.empty()) << result.faults[0].line_text("godwit.yaml");
  const Config& c = result.config;
  EXPECT_EQ(c.data_dir, "/var/lib/godwit");
  EXPECT_EQ(c.http.listen, std::vector<std::string>{"127.0.0.1:8480"});
  EXPECT_EQ(c.apps[0].id, "shop");
  EXPECT_EQ(c.limits.body_bytes, 128u << 10);
  EXPECT_EQ(c.limits.default_ttl_ms, 7'200'000);
  EXPECT_EQ(c.channels[0].manufacturer_priors.at("xiaomi"), 0.5);
  EXPECT_EQ(c.channels[0].path, "sms");
  EXPECT_EQ(
      c.channels[0].config_json,
      R"({"deep":{"list":[1,"2",true],"secret":"${env:NOT_EXPANDED_HERE}"},"tcp":"127.0.0.1:1883","window":100})");
  EXPECT_EQ(c.channels[0].lines.at("/window"), 18);
}

TEST(Config, UnknownKeyNamesItsLineAndTheNearestKey) {
  EXPECT_THAT(
      faults_with("    plugin: selfconn", "    plugni: selfconn"),
      testing::ElementsAre("godwit.yaml:11: channels[0].plugin: is missing",
                           "godwit.yaml:12: channels[0].plugni: is no key of this section (did you mean 'plugin'?)"));
}

TEST(Config, ReportsAllFaultsAtOnceInTheOrderOfLines) {
  const auto faults =
      faults_of("data_dir: /x\nhttp: {threads: many}\napps:\n  - {id: 'a b'}\nlimits: {body: 1}\nlog: loud\n");
  ASSERT_EQ(faults.size(), 4u);
  EXPECT_THAT(faults[0], HasSubstr("godwit.yaml:2: http.threads: must be a whole number from 1 to 64, got 'many'"));
  EXPECT_THAT(faults[1], HasSubstr("godwit.yaml:4: apps[0].id: may hold letters"));
  EXPECT_THAT(faults[2], HasSubstr("godwit.yaml:5: limits.body: must be a size such as"));
  EXPECT_THAT(faults[3], HasSubstr("godwit.yaml:6: log: must be a mapping"));
}

TEST(Config, TheRoutingOfAnAppIsOneOfThreeAndOrderedNeedsTheOrder) {
  EXPECT_TRUE(faults_with("    channels: [own]", "    channels: [own]\n    routing: ordered").empty());
  EXPECT_THAT(faults_with("    channels: [own]", "    routing: ordered")[0], HasSubstr("list the app's channels"));
  EXPECT_THAT(faults_with("    channels: [own]", "    routing: fastest")[0],
              HasSubstr("must be one of best, all, ordered, got 'fastest'"));
}

TEST(Config, SegmentsAreCutByWhatDevicesTellOfThemselves) {
  const auto with = [](const std::string& keys) {
    return faults_with("data_dir:", "routing: {segment: " + keys + "}\ndata_dir:");
  };
  EXPECT_TRUE(with("[os, app_version]").empty());
  EXPECT_TRUE(with("[]").empty());  // manufacturers alone
  EXPECT_THAT(with("[os, model]")[0], HasSubstr("must be a list of os, region, app_version, got 'model'"));
  EXPECT_THAT(with("[manufacturer]")[0], HasSubstr("leave 'manufacturer' out"));
  EXPECT_THAT(with("[os, os]")[0], HasSubstr("'os' is listed twice"));
}

TEST(Config, PriorsAreProbabilitiesThatSomethingCanComeOf) {
  EXPECT_THAT(faults_with("prior: 0.9", "prior: 0"),
              testing::ElementsAre(HasSubstr("channels[0].prior: must be a number from 0.01 to 1.0, got '0'")))
      << "0 was taken for: not said";
  EXPECT_THAT(faults_with("{xiaomi: 0.5}", "{xiaomi: }"),
              testing::ElementsAre(HasSubstr("channels[0].manufacturer_priors.xiaomi: needs a number")));
  EXPECT_THAT(faults_with("{xiaomi: 0.5}", "{'': 0.5}"),
              testing::ElementsAre(HasSubstr("channels[0].manufacturer_priors: has a number without a name")));
}

TEST(Config, ADeliveryIsWorthSomething) {
  EXPECT_THAT(faults_with("data_dir:", "routing: {value: {low: 0}}\ndata_dir:"),
              testing::ElementsAre(HasSubstr("routing.value.low: must be a number from 0.001 to 1000000.0, got '0'")))
      << "every channel was as good as the first one then";
}

TEST(Config, TheBoundsOfATimeAreReadable) {
  EXPECT_THAT(
      faults_with("data_dir:", "routing: {half_life: 1s}\ndata_dir:"),
      testing::ElementsAre(HasSubstr("routing.half_life: must be a time such as 500ms, 30s, 10m, 24h or 7d, from 1m to "
                                     "365d, got '1s'")));
}

TEST(Config, NamesThatDoNotExistOrAreTwiceAreFaults) {
  EXPECT_THAT(faults_with("channels: [own]", "channels: [ow]"),
              testing::ElementsAre(
                  HasSubstr("app 'shop' names the channel 'ow', which is not configured (did you mean 'own'?)")));
  EXPECT_THAT(faults_with("server_keys: [server-key-0123456789]", "server_keys: [0123456789abcdef]"),
              testing::ElementsAre(HasSubstr("is used twice")));
  EXPECT_THAT(faults_with("server-key-0123456789", "short"), testing::ElementsAre(HasSubstr("at least 16 characters")));
  EXPECT_THAT(faults_with("http:\n", "data_dir: /y\nhttp:\n"), testing::ElementsAre(HasSubstr("a second time")));
}

TEST(Config, ReferencesAreExpandedAndMissingOnesAreFaults) {
  ::setenv("GODWIT_TEST_DIR", "/tmp/d", 1);
  EXPECT_EQ(parse_config("data_dir: ${env:GODWIT_TEST_DIR}/x\n", "f").config.data_dir, "/tmp/d/x");
  EXPECT_THAT(faults_of("data_dir: ${env:GODWIT_TEST_UNSET}\n")[0], HasSubstr("GODWIT_TEST_UNSET is not set"));
}

TEST(Config, BrokenYamlNamesTheLine) {
  EXPECT_THAT(faults_of("data_dir: /x\nhttp: [unclosed\n"), testing::ElementsAre(HasSubstr("is not YAML")));
  EXPECT_FALSE(faults_of("").empty());
  EXPECT_FALSE(faults_of("[]").empty());
  EXPECT_FALSE(faults_of("&a [*a]").empty());
}

TEST(Config, MissingFileIsAFault) {
  EXPECT_THAT(load_config("/nonexistent/godwit.yaml").faults[0].text, HasSubstr("No such file"));
  EXPECT_FALSE(load_config("/").faults.empty());
}

}  // namespace
}  // namespace godwit
