#include "broker/engine/decision_log.hpp"

#include <fmt/format.h>

#include <utility>

#include "broker/base/hash.hpp"
#include "broker/dispatch/parcel.hpp"

namespace godwit::engine {
namespace {

constexpr size_t kFlushBytes = 64 << 10;
constexpr MonoNs kFlushEvery = kNsPerSecond;

}  // namespace

bool DecisionLog::wants(MessageId message, DeviceNo device) const {
  if (share_ <= 0) return false;
  const uint64_t dice = stable_hash(message.text(), device);
  return static_cast<double>(dice >> 11) * 0x1p-53 < share_;
}

void DecisionLog::add(const Line& line) {
  const auto text = [this](std::string_view key, std::string_view value) {
    lines_ += fmt::format(R"(,"{}":)", key);
    dispatch::append_json_string(lines_, value);
  };
  lines_ += fmt::format(R"({{"format":"godwit-decision/1","at_ms":{})", line.at_ms);
  text("app", line.app);
  text("message_id", line.message.text());
  text("device_id", line.device_id);
  text("priority", to_string(line.priority));
  if (line.manufacturer) text("manufacturer", *line.manufacturer);
  text("chosen", line.candidates.front().channel);
  text("mode", routing::to_string(line.mode));
  lines_ += fmt::format(R"(,"propensity":{:.6g},"candidates":[)", line.propensity);
  for (const Candidate& candidate : line.candidates) {
    lines_ += &candidate == line.candidates.data() ? R"({"channel":)" : R"(,{"channel":)";
    dispatch::append_json_string(lines_, candidate.channel);
    lines_ += fmt::format(R"(,"p":{:.4f}}})", candidate.p);
  }
  lines_ += fmt::format("],\"outcome\":\"{}\"}}\n", routing::to_string(line.told));
}

std::string DecisionLog::take_due(MonoNs now, bool all) {
  if (lines_.empty() || (!all && lines_.size() < kFlushBytes && now < next_ns_)) return {};
  next_ns_ = now + kFlushEvery;
  return std::exchange(lines_, {});
}

}  // namespace godwit::engine
