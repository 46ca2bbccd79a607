// What a first decision was and what came of it, as a line of the decision log: for `godwit replay`. Written when the
// delivery ends, for a share of the devices' deliveries that depends on nothing that was decided.
#include <fmt/format.h>

#include "broker/dispatch/parcel.hpp"
#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr size_t kFlushBytes = 64 << 10;
constexpr MonoNs kFlushEvery = kNsPerSecond;

}  // namespace

void Core::log_decision(const MessageEntry& m, const Delivery& d) {
  if (!parts_.decisions || recovering_ || d.device == kNoDevice || d.first_attempt == kNone) return;
  if (m.message->routing != RoutingMode::best) return;
  const uint64_t dice = stable_hash(m.message->id.text(), d.device);
  if (static_cast<double>(dice >> 11) * 0x1p-53 >= options_.decision_log_share) return;
  const Attempt& first = attempts_[d.first_attempt];
  routing::Told told = routing::Told::nothing;  // of all tries on that channel
  for (AttemptIx i = d.first_attempt; i != kNone; i = attempts_[i].next) {
    const Attempt& a = attempts_[i];
    if (a.channel != first.channel || a.memo.channel == routing::kNoChannel) continue;
    const routing::Told now = routing::told(a.memo);
    if (told != routing::Told::arrived && now != routing::Told::nothing) told = now;
  }
  std::string& out = decision_lines_;
  const auto text = [&out](std::string_view key, std::string_view value) {
    out += fmt::format(R"(,"{}":)", key);
    dispatch::append_json_string(out, value);
  };
  const Choice& c = first.choice;
  out += fmt::format(R"({{"format":"godwit-decision/1","at_ms":{})", m.at(d.planned));
  text("app", m.message->app);
  text("message_id", m.message->id.text());
  text("device_id", device_id(d.device));
  text("priority", to_string(m.message->priority));
  if (registry_.exists(d.device)) text("manufacturer", registry_.manufacturer_of(d.device));
  text("chosen", slots_[first.channel].name);
  text("mode", routing::to_string(c.reason));
  out += fmt::format(R"(,"propensity":{:.6f},"candidates":[{{"channel":)", float{c.propensity});
  dispatch::append_json_string(out, slots_[first.channel].name);
  out += fmt::format(R"(,"p":{:.4f}}})", float{c.p});
  for (const Considered& other : c.considered) {
    if (other.channel >= slots_.size() || other.sleep != routing::Sleep::awake) continue;
    out += R"(,{"channel":)";
    dispatch::append_json_string(out, slots_[other.channel].name);
    out += fmt::format(R"(,"p":{:.4f}}})", other.p / 10'000.0);
  }
  out += fmt::format("],\"outcome\":\"{}\"}}\n", routing::to_string(told));
}

void Core::flush_decisions() {
  if (decision_lines_.empty() || (!stopping_ && decision_lines_.size() < kFlushBytes && now_ < next_decisions_ns_))
    return;
  next_decisions_ns_ = now_ + kFlushEvery;
  in_background(
      [lines = std::exchange(decision_lines_, {})](const EngineParts& parts) {
        parts.decisions(lines);
        return Fate::ok;
      },
      [](Core&, Fate) {});
}

}  // namespace godwit::engine
