// What goes into the decision log of a delivery that has ended.
#include <array>

#include "broker/engine/core.hpp"

namespace godwit::engine {

void Core::log_decision(const MessageEntry& m, const Delivery& d) {
  if (recovering_ || d.device == kNoDevice || d.first_attempt == kNone) return;
  if (m.message->routing != RoutingMode::best || !decision_log_.wants(m.message->id, d.device)) return;
  const Attempt& first = book_.attempt(d.first_attempt);
  const Choice& c = first.choice;
  std::array<DecisionLog::Candidate, std::tuple_size_v<decltype(c.considered)> + 1> candidates;
  size_t n = 0;
  candidates[n++] = {slots_[first.channel].name, c.p};
  for (const Considered& other : c.considered)
    if (other.channel < slots_.size() && other.sleep == routing::Sleep::awake)
      candidates[n++] = {slots_[other.channel].name, other.p / 10'000.0};
  DecisionLog::Line line;
  line.at_ms = m.at(d.planned);
  line.app = m.message->app;
  line.message = m.message->id;
  line.device_id = device_id(d.device);
  if (registry_.exists(d.device)) line.manufacturer = registry_.manufacturer_of(d.device);
  line.priority = m.message->priority;
  line.mode = c.reason;
  line.propensity = c.propensity;
  line.candidates = {candidates.data(), n};
  for (AttemptIx i = d.first_attempt; i != kNone; i = book_.attempt(i).next) {  // of all tries on that channel
    const Attempt& a = book_.attempt(i);
    if (a.channel != first.channel || a.memo.channel == routing::kNoChannel) continue;
    const routing::Told now = routing::told(a.memo);
    if (line.told != routing::Told::arrived && now != routing::Told::nothing) line.told = now;
  }
  decision_log_.add(line);
}

void Core::flush_decisions() {
  std::string lines = decision_log_.take_due(now_, stopping_);
  if (lines.empty()) return;
  jobs_.run(
      [this, lines = std::move(lines)] {
        parts_.decisions(lines);
        return Fate::ok;
      },
      [](Fate) {});
}

}  // namespace godwit::engine
