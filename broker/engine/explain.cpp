// What people see of a delivery: its attempts, and why each channel was chosen, made from compact numbers when asked.
#include <fmt/format.h>

#include <algorithm>

#include "broker/dispatch/parcel.hpp"
#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr std::array<std::string_view, kReasons> kReasonNames{
    "",         "no_device",     "no_channel",  "collapsed", "device_removed", "ttl",       "outcome_unknown",
    "refused",  "token_invalid", "unreachable", "config",    "tries_used_up",  "cancelled", "recall_asked",
    "recalled", "recall_failed"};

}  // namespace

std::string_view to_string(Reason r) {
  return kReasonNames[static_cast<size_t>(r)];
}

// "mipush: best chance (0.81); selfconn asleep (offline), xinge 0.31"
std::string Core::why_sentence(const Attempt& a) const {
  const Choice& c = a.choice;
  using routing::Reason;
  std::string out = slots_[a.channel].name;
  switch (c.reason) {
    case Reason::only_one:
      out += ": the only channel that could carry it";
      break;
    case Reason::explore:
    case Reason::audit:
      out += ": tried on purpose, to learn how well it delivers";
      break;
    case Reason::probe:
      out += ": tried to see whether the channel has recovered";
      break;
    case Reason::ordered:
      out += ": asked for (routing ordered or all), whatever it delivers";
      break;
    case Reason::fallback:
      out += ": no receipt so far, so the next channel was tried";
      break;
    default: {
      const bool dearer = std::any_of(c.considered.begin(), c.considered.end(), [&](const Considered& other) {
        return other.channel < slots_.size() && other.sleep == routing::Sleep::awake &&
               other.p > float{c.p} * 10'000 + 100;
      });
      out += dearer ? ": best value, a send's cost taken off" : ": best chance of delivery";
    }
  }
  if (c.p > 0) out += fmt::format(" ({:.2f})", float{c.p});
  bool first = true;
  for (const Considered& other : c.considered) {
    if (other.channel >= slots_.size()) continue;
    out += first ? "; " : ", ";
    first = false;
    if (other.sleep == routing::Sleep::awake)
      out += fmt::format("{} {:.2f}", slots_[other.channel].name, other.p / 10'000.0);
    else
      out += fmt::format("{} asleep ({})", slots_[other.channel].name, routing::to_string(other.sleep));
  }
  return out;
}

std::string Core::why_json(const Attempt& a) const {
  const Choice& c = a.choice;
  std::string out = fmt::format(
      R"({{"mode":"{}","p":{:.4f},"utility":{:.4f},"propensity":{:.4f},"reach":{:.3f},"next_in_s":{:.1f})",
      routing::to_string(c.reason), float{c.p}, c.utility, float{c.propensity}, float{c.reach}, c.next_check_s);
  out += R"(,"considered":[)";
  bool first = true;
  for (const Considered& other : c.considered) {
    if (other.channel >= slots_.size()) continue;
    if (!std::exchange(first, false)) out += ',';
    out += R"({"channel":)";
    dispatch::append_json_string(out, slots_[other.channel].name);
    if (other.sleep == routing::Sleep::awake)
      out += fmt::format(R"(,"p":{:.4f}}})", other.p / 10'000.0);
    else
      out += fmt::format(R"(,"asleep":"{}"}})", routing::to_string(other.sleep));
  }
  return out + "]}";
}

DeliveryView Core::view_of(const MessageEntry& m, const Delivery& d) const {
  DeliveryView v;
  if (d.device != kNoDevice) {
    v.device_id = device_id(d.device);
    if (registry_.exists(d.device)) v.user_id = registry_.user_of(d.device);
  } else if (!d.bare_token && d.name < m.message->to.names.size()) {
    (m.message->to.kind == AudienceKind::device || m.message->to.kind == AudienceKind::devices ? v.device_id
                                                                                               : v.user_id) =
        m.message->to.names[d.name];
  }
  v.state = d.state;
  v.reason = to_string(d.reason);
  v.planned_ms = m.at(d.planned);
  v.final_ms = d.final ? m.at(d.ended) : 0;
  for (AttemptIx i = d.first_attempt; i != kNone; i = book_.attempt(i).next) {
    const Attempt& a = book_.attempt(i);
    if (a.phase == Attempt::Phase::queued || a.phase == Attempt::Phase::intent) continue;
    AttemptView& out = v.attempts.emplace_back();
    out.channel = slots_[a.channel].name;
    out.number = a.number;
    out.started_ms = m.at(a.started);
    out.settled_ms = a.phase == Attempt::Phase::settled ? m.at(a.settled) : 0;
    out.result = a.phase != Attempt::Phase::settled        ? "in_flight"
                 : a.result == Disposition::target_invalid ? "token_invalid"
                                                           : std::string(to_string(a.result));
    if (a.words) {
      out.http_status = a.words->http_status;
      out.vendor_id = a.words->id;
      out.vendor_code = a.words->code;
      out.vendor_detail = a.words->detail;
    }
    out.why = why_sentence(a);
    out.why_json = why_json(a);
  }
  for (ReceiptIx i = d.receipts; i != kNone; i = book_.receipt(i).next) {
    const Receipt& r = book_.receipt(i);
    v.receipts.push_back(
        {r.event, r.source, r.channel == kAppItself ? std::string() : slots_[r.channel].name, r.at_ms});
  }
  return v;
}

}  // namespace godwit::engine
