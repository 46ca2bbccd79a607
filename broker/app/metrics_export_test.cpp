#include "broker/app/metrics_export.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace godwit {
namespace {

using routing::ReceiptKind;
using ::testing::ElementsAre;

struct Shown : MetricSink {
  std::vector<std::string> lines;
  void counter(std::string_view, std::string_view, MetricLabels, double) override {}
  void gauge(std::string_view name, std::string_view, MetricLabels labels, double value) override {
    std::string line(name);
    for (const auto& [key, text] : labels) line += " " + key + "=" + text;
    lines.push_back(line + " " + std::to_string(value).substr(0, 4));
  }
  void histogram(std::string_view, std::string_view, MetricLabels, std::span<const double>, std::span<const uint64_t>,
                 double) override {}
};

routing::RateRow row(routing::ChannelNo channel, ReceiptKind kind, double settled, double rate) {
  routing::RateRow out;
  out.channel = channel, out.manufacturer = "xiaomi", out.kind = kind;
  out.sent = 10, out.settled = settled, out.rate = rate;
  return out;
}

// One series has one value (Prometheus refuses a scrape with two), and a share that nobody measured has none.
TEST(DeliveryRateMetric, IsOneMeasuredShareForEachChannelAndManufacturer) {
  const RateView view{
      {row(0, ReceiptKind::vendor, 10, 0.8), row(0, ReceiptKind::device, 10, 0.7),
       row(1, ReceiptKind::accepted, 10, 1.0), row(2, ReceiptKind::vendor, 10, 0.6), row(3, ReceiptKind::device, 0, 0)},
      {"both", "accepts", "vendor", "waiting"}};
  Shown shown;
  export_rates(shown, view);
  EXPECT_THAT(shown.lines, ElementsAre("godwit_delivery_rate channel=both manufacturer=xiaomi 0.70",
                                       "godwit_delivery_rate channel=vendor manufacturer=xiaomi 0.60"));
}

}  // namespace
}  // namespace godwit
