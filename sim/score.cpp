#include "sim/score.hpp"

#include <algorithm>

#include "sim/chance.hpp"

namespace godwit::sim {

namespace {
constexpr double kSlices = 144;
}

Score::Score(const Setting& setting, double duplicate_penalty) : penalty_(duplicate_penalty) {
  for (const MessageClass& c : setting.classes) classes.push_back({c.name});
  slice_s = std::max(1.0, setting.end_s / kSlices);
}

void Score::add(const Setting& setting, const InFlight& m) {
  const Message& message = m.message;
  const MessageClass& cls = setting.classes[message.cls];
  const bool in_time = m.delivered >= 0 && m.delivered <= message.t + cls.deadline_s;
  // What a tape has after its own end belongs to the last slice.
  const auto slice_no = static_cast<size_t>(std::min(message.t / slice_s, kSlices));
  if (slice_no >= slices.size()) slices.resize(slice_no + 1);
  Slice& slice = slices[slice_no];
  slice.first_on.resize(setting.channels.size());
  double best_p = 0, chosen_p = 0;
  for (size_t c = 0; c < setting.channels.size(); ++c)
    if (message.fates[c].available && setting.channels[c].kind != ChannelKind::paid)
      best_p = std::max(best_p, message.fates[c].p);
  if (!m.attempts.empty()) {
    chosen_p = message.fates[m.attempts.front().channel].p;
    slice.first_on[m.attempts.front().channel] += 1;
  }
  const double lost = std::max(0.0, best_p - chosen_p);
  slice.messages += 1;
  slice.delivered += in_time;
  slice.regret += lost;
  if (message.t < setting.warmup_s) return;

  messages += 1;
  regret += lost;
  delivered += in_time;
  ClassScore& mine = classes[message.cls];
  mine.messages += 1;
  mine.delivered += in_time;
  utility += in_time ? cls.value : 0;
  if (in_time) {
    latency.add(m.delivered - message.t, 1);
    mine.latency.add(m.delivered - message.t, 1);
  }
  if (!m.attempts.empty()) {
    const Attempt& first = m.attempts.front();
    first_in_time += first.delivered >= 0 && first.delivered <= message.t + cls.deadline_s;
  }
  const Chance chance(7);
  std::vector<std::pair<double, size_t>> arrivals;
  for (const Attempt& a : m.attempts) {
    sends += 1;
    const ChannelSpec& spec = setting.channels[a.channel];
    if (!a.rejected) {
      cost += spec.cost, utility -= spec.cost;
      paid += spec.kind == ChannelKind::paid;
    }
    if (a.delivered >= 0) arrivals.emplace_back(a.delivered, a.channel);
  }
  std::sort(arrivals.begin(), arrivals.end());
  for (size_t i = 1; i < arrivals.size(); ++i) {
    raw_duplicates += 1;
    if (chance.uniform(1, message.id, arrivals[i].second) < setting.channels[arrivals[i].second].dedupe) continue;
    visible_duplicates += 1;
    utility -= penalty_;
  }
}

}  // namespace godwit::sim
