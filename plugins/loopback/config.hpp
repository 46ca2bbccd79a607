// The configuration of a loopback channel, parsed. schema.json explains each property and has already bounded it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <godwit/result.hpp>

namespace loopback {

struct Latency {
  double median_ms = 0;
  double sigma = 0;
  bool operator==(const Latency&) const = default;
};

enum class OutageMode { none, error, silent, hang };

struct Outage {
  double after_s = 0;
  double for_s = 0;  // 0 = for ever
  OutageMode mode = OutageMode::error;
  bool operator==(const Outage&) const = default;
};

enum class ReceiptKind { device, vendor, accepted };

struct Config {
  double accept = 1;
  double deliver = 1;
  std::map<std::string, double, std::less<>> deliver_by;  // manufacturer -> probability
  double token_invalid = 0;
  Latency latency;
  Latency receipt_latency;
  bool receipts = true;
  ReceiptKind receipt_kind = ReceiptKind::device;
  std::vector<Outage> outage;
  uint32_t window = 16384;
  uint64_t seed = 1;
};

// Absent properties take the schema's defaults, so it also works where no host filled them in.
godwit::Result<Config> parse_config(std::string_view json);

// What the device's JSON says under "manufacturer"; empty if nothing.
std::string manufacturer_of(std::string_view extra);

}  // namespace loopback
