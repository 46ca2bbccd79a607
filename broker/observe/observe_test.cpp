#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "broker/observe/log.hpp"
#include "broker/observe/metrics.hpp"
#include "broker/observe/version.hpp"

namespace godwit {
namespace {

using testing::HasSubstr;

TEST(Metrics, SamplesOfOneNameFromTwoCollectorsStandTogether) {
  Metrics metrics;
  metrics.add([](MetricSink& s) { s.counter("godwit_x_total", "X.", {{"app", "a"}}, 3); });
  metrics.add([](MetricSink& s) { s.gauge("godwit_g", "G.", {}, 1.5); });
  metrics.add([](MetricSink& s) { s.counter("godwit_x_total", "X.", {{"app", "quote\"d"}}, 4); });
  const std::string text = metrics.render();
  EXPECT_THAT(
      text,
      HasSubstr("# TYPE godwit_x_total counter\ngodwit_x_total{app=\"a\"} 3\ngodwit_x_total{app=\"quote\\\"d\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("godwit_g 1.5"));
}

TEST(Metrics, HistogramsCumulate) {
  SecondsHistogram h;
  for (const double seconds : {0.00005, 0.0001, 0.3, 100.0}) h.observe(seconds);
  Metrics metrics;
  metrics.add([&](MetricSink& s) { h.collect(s, "godwit_t_seconds", "T.", {}); });
  const std::string text = metrics.render();
  EXPECT_THAT(text, HasSubstr("godwit_t_seconds_count 4"));
  EXPECT_THAT(text, HasSubstr("godwit_t_seconds_bucket{le=\"0.0001\"} 2"));
  EXPECT_THAT(text, HasSubstr("godwit_t_seconds_bucket{le=\"0.5\"} 3"));
  EXPECT_THAT(text, HasSubstr("godwit_t_seconds_bucket{le=\"+Inf\"} 4"));
}

TEST(Log, JsonLinesStayOneLineWhateverTheText) {
  testing::internal::CaptureStderr();
  set_up_log("info", "json");
  spdlog::info("a \"quoted\"\nline");
  spdlog::debug("not shown");
  spdlog::warn(std::string("\xff"));
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr("\"level\":\"info\",\"text\":\"a \\\"quoted\\\"\\u000aline\"}\n"));
  EXPECT_THAT(text, HasSubstr("\"text\":\"bytes ff\"}\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(Version, IsNamed) {
  EXPECT_FALSE(version().empty());
}

}  // namespace
}  // namespace godwit
