#include "sim/reaction.hpp"

#include <algorithm>

namespace godwit::sim {

namespace {
constexpr size_t kWindow = 30;
constexpr double kBefore_s = 3 * 3600;
constexpr double kLeft = 0.25, kRestored = 0.7;
}  // namespace

ReactionWatch::ReactionWatch(const Setting& setting, const Event& event) : setting_(setting), event_(event) {
  for (size_t c = 0; c < setting.channels.size(); ++c)
    if (setting.channels[c].name == event.channel) channel_ = static_cast<routing::ChannelNo>(c);
  result_.channel = event.channel;
  result_.t0 = event.t0;
  result_.t1 = event.t1;
}

void ReactionWatch::device(const DeviceChange& d) {
  if (d.device >= covered_.size()) covered_.resize(d.device + 1);
  const auto in = [](const std::vector<std::string>& list, const std::string& name) {
    return list.empty() || std::find(list.begin(), list.end(), name) != list.end();
  };
  covered_[d.device] =
      in(event_.match_manufacturer, d.maker) && in(event_.match_os, d.os) && in(event_.match_region, d.region);
}

double ReactionWatch::window_share() const {
  return static_cast<double>(std::count(window_.begin(), window_.end(), true)) / static_cast<double>(window_.size());
}

void ReactionWatch::first_send(const Message& m, routing::ChannelNo sent_to) {
  if (!covers(m.device) || !m.fates[channel_].available) return;
  if (m.t < event_.t0) p_before_[m.device] = static_cast<float>(m.fates[channel_].p);
  const auto known = p_before_.find(m.device);
  if (known == p_before_.end() || known->second <= 0) return;
  for (size_t c = 0; c < setting_.channels.size(); ++c)
    if (c != channel_ && m.fates[c].available && setting_.channels[c].kind != ChannelKind::paid &&
        m.fates[c].p > known->second)
      return;
  const bool here = sent_to == channel_;
  window_.push_back(here);
  if (window_.size() > kWindow) window_.pop_front();
  if (m.t < event_.t0) {
    if (m.t >= event_.t0 - kBefore_s) before_all_ += 1, before_here_ += here;
    return;
  }
  result_.share_before = before_all_ > 0 ? before_here_ / before_all_ : 0;
  if (result_.share_before <= 0) return;
  if (m.t < event_.t1) {
    result_.looked_at += 1;
    if (result_.reacted_s >= 0) return;
    result_.lost += here;
    if (window_.size() == kWindow && window_share() <= kLeft * result_.share_before)
      result_.reacted_s = m.t - event_.t0;
  } else if (result_.restored_s < 0 && window_share() >= kRestored * result_.share_before) {
    result_.restored_s = m.t - event_.t1;
  }
}

void ReactionWatch::done(const Message& m, bool in_time) {
  if (m.t < event_.t0 || m.t >= event_.t1 || !covers(m.device)) return;
  result_.messages_inside += 1;
  result_.delivered_inside += in_time;
}

}  // namespace godwit::sim
