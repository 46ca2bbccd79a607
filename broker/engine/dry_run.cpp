// Looks without touching: who would get a message over which channel, and how a device's channels rank right now.
#include "broker/dispatch/parcel.hpp"
#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr size_t kSamples = 20;

// `asked`: the caller's order, which counts where the mode is not `best`.
routing::Decision decision_of(const std::vector<routing::CandidateView>& ranking, routing::Mode mode,
                              std::span<const routing::Offer> asked = {}) {
  routing::Decision d;
  const auto first = std::find_if(asked.begin(), asked.end(),
                                  [](const routing::Offer& o) { return o.sleep == routing::Sleep::awake; });
  for (const routing::CandidateView& c : ranking) {
    if (c.sleep != routing::Sleep::awake) continue;
    if (mode != routing::Mode::best && first != asked.end() && c.channel != first->channel) continue;
    d.action = routing::Action::send;
    d.channel = c.channel;
    d.reason = mode == routing::Mode::best ? routing::Reason::exploit : routing::Reason::ordered;
    d.p = c.p;
    d.utility = c.utility;
    d.propensity = c.propensity;
    break;
  }
  return d;
}

}  // namespace

std::vector<routing::CandidateView> Core::rank(const MessageEntry& m, const Delivery& d) {
  Offers offers;
  gather_offers(m, d, offers);
  routing::Ask ask = ask_of(m, d);
  ask.offers = {offers.list.data(), offers.size};
  return router_.ranking(ask, now_);
}

// A message that is only imagined: nothing links to it.
MessageEntry Core::imagine(MessagePtr message) {
  const App& app = apps_.of(message->app);
  MessageEntry m;
  m.app = app.no;
  m.expires_ns = now_ + (message->ttl_ms != 0 ? message->ttl_ms : options_.default_ttl_ms) * kNsPerMs;
  m.channel_mask = apps_.mask_for(app, message->channels);
  m.message = std::move(message);
  return m;
}

void Core::dry_run(MessageDraft draft, Done<DryRun> done) {
  draft.message.accepted_ms = wall_;
  draft.message.deliver_at_ms = std::max(draft.message.deliver_at_ms, wall_);
  draft.message.id = MessageId::make(wall_, 0, {});
  const MessageEntry m = imagine(std::make_shared<const Message>(std::move(draft.message)));
  const Message& said = *m.message;

  DryRun out;
  std::vector<Delivery> deliveries;  // imagined too
  const auto to_device = [](DeviceNo no) {
    Delivery d;
    d.device = no;
    return d;
  };
  if (planner::is_fanout(said)) {
    out.recipients = planner::size_of_fanout(said, registry_);
    for (DeviceNo no = 0;
         deliveries.size() < kSamples && (no = planner::next_of_fanout(said, registry_, no)) != kNoDevice;)
      deliveries.push_back(to_device(no++));
  } else {
    planner::expand(said, registry_, recipients_);
    const std::vector<DeviceNo>& devices = recipients_.devices;
    out.recipients = devices.size();
    for (size_t i = 0; i < std::min(devices.size(), kSamples); ++i) deliveries.push_back(to_device(devices[i]));
    if (said.to.kind == AudienceKind::token && !recipients_.nobody.empty()) {
      Delivery& d = deliveries.emplace_back();
      d.name = recipients_.nobody.front();
      d.bare_token = true;
      out.recipients = 1;
    }
  }
  for (const Delivery& d : deliveries) out.samples.push_back(try_out(m, d));
  done(std::move(out));
}

DryRun::Sample Core::try_out(const MessageEntry& m, const Delivery& d) {
  const Message& said = *m.message;
  DryRun::Sample s;
  Offers offers;
  routing::Decision decision;
  if (d.bare_token) {
    s.token = said.to.names[d.name];
    gather_offers(m, d, offers);
    s.reason = "no_channel";
    for (size_t i = 0; i < offers.size; ++i) {
      const routing::Sleep sleep = offers.list[i].sleep;
      if (sleep == routing::Sleep::no_token) continue;  // the token belongs to another channel
      s.reason = routing::to_string(sleep);
      if (sleep != routing::Sleep::awake) continue;
      decision.action = routing::Action::send;
      decision.reason = routing::Reason::only_one;
      decision.channel = offers.list[i].channel;
    }
  } else {
    const auto ranking = rank(m, d);
    s.device_id = registry_.id_of(d.device);
    s.user_id = registry_.user_of(d.device);
    s.reason = ranking.empty() ? "no_channel" : routing::to_string(ranking.front().sleep);
    gather_offers(m, d, offers);
    decision = decision_of(ranking, ask_of(m, d).mode, {offers.list.data(), offers.size});
  }
  if (decision.action != routing::Action::send) return s;
  const ChannelSlot& slot = slots_[by_route_[decision.channel]];
  s.channel = slot.name;
  s.p = decision.p;
  s.reason = routing::to_string(decision.reason);
  Parcel parcel;
  parcel.message = m.message;
  parcel.message_id_text = said.id.text();
  parcel.vendor_options = dispatch::override_for(said, slot.name, slot.plugin);
  parcel.targets.push_back(target_of(m, d, slot));
  parcel.ttl_ms = (m.expires_ns - now_) / kNsPerMs;
  parcel.deadline_ns = now_ + options_.attempt_deadline_ms * kNsPerMs;
  parcel.dry_run = true;
  if (auto preview = channels_->preview(slot.no, parcel))
    s.preview = std::move(*preview);
  else if (preview.error().code != Code::not_found)
    s.preview.errors.push_back({{}, preview.error().message});
  return s;
}

std::vector<std::string> Core::names_by_route() const {
  std::vector<std::string> out(by_route_.size());
  for (size_t i = 0; i < by_route_.size(); ++i)
    if (by_route_[i] < slots_.size()) out[i] = slots_[by_route_[i]].name;
  return out;
}

void Core::route(const std::string& app, const std::string& id, Priority priority, Done<RouteView> done) {
  const DeviceNo no = registry_.find(app, id);
  if (no == kNoDevice) return done(Error{Code::not_found, "no such device", id});
  Message said;
  said.app = app;
  said.priority = priority;
  said.accepted_ms = said.deliver_at_ms = wall_;
  const MessageEntry m = imagine(std::make_shared<const Message>(std::move(said)));
  Delivery d;
  d.device = no;
  RouteView out;
  out.candidates = rank(m, d);
  out.decision = decision_of(out.candidates, routing::Mode::best);
  out.channel_names = names_by_route();
  done(std::move(out));
}

void Core::rates(routing::RateQuery query, Done<RateView> done) {
  if (query.now_ms == 0) query.now_ms = wall_, query.from_ms = wall_ - 86'400'000;
  done(RateView{router_.rates(query), names_by_route()});
}

}  // namespace godwit::engine
