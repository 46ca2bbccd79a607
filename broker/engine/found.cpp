#include "broker/engine/found.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "broker/channels/port.hpp"
#include "broker/engine/state.hpp"

namespace godwit::engine {

records::Progress& Found::delivery_of(const std::string& device_id) {
  records::Progress fresh;
  fresh.device_id = device_id;
  if (device_id.empty() && !message.to.names.empty()) fresh.name = message.to.names.front();
  fresh.planned_ms = message.accepted_ms;
  std::string key = key_of(fresh);
  return deliveries.try_emplace(std::move(key), std::move(fresh)).first->second;
}

bool Found::fold(uint64_t at, const RecordView& record) {
  switch (record.type) {
    case RecordType::accept: {
      auto m = records::get_accept(record.body);
      if (!m) return false;
      if (accepted) return true;  // its key was forgotten early: the first one counts
      accepted = true;
      message = std::move(*m);
      position = at;
      return true;
    }
    case RecordType::carry:
      return fold_carry(at, record.body);
    case RecordType::outcome: {
      auto o = records::get_outcome(record.body);
      if (!o) return false;
      planned = true;
      std::string key = key_of(o->progress);
      deliveries[std::move(key)] = std::move(o->progress);
      return true;
    }
    case RecordType::receipt:
      return fold_receipt(record.body);
    case RecordType::intent: {
      auto i = records::get_intent(record.body);
      if (!i) return false;
      planned = true;
      delivery_of(i->device_id);
      intents.push_back(std::move(*i));
      return true;
    }
    case RecordType::cancel:
      cancelled |= records::get_cancel(record.body).has_value();
      return true;
    case RecordType::cursor: {
      const auto c = records::get_cursor(record.body);
      if (!c) return false;
      cursor = *c;
      return true;
    }
    case RecordType::registry:
    case RecordType::checkpoint:
      return true;  // not of a message
  }
  return true;  // of a newer broker
}

bool Found::fold_carry(uint64_t at, std::string_view body) {
  auto carry = records::get_carry(body);
  if (!carry) return false;
  *this = Found{};
  accepted = true;
  message = std::move(carry->message);
  position = at;
  planned = carry->planned;
  cancelled = carry->cancelled;
  cursor = carry->fanout;
  if (carry->fanout) base = static_cast<DeviceNo>(carry->fanout->next);
  dropped = std::move(carry->dropped);
  for (records::Progress& p : carry->deliveries) {
    std::string key = key_of(p);
    deliveries[std::move(key)] = std::move(p);
  }
  return true;
}

bool Found::fold_receipt(std::string_view body) {
  auto r = records::get_receipt(body);
  if (!r) return false;
  auto& known = delivery_of(r->device_id).receipts;  // new: it was polled and acknowledged before any attempt
  if (std::none_of(known.begin(), known.end(), [&](const auto& x) { return x.event == r->receipt.event; }))
    known.push_back(std::move(r->receipt));
  planned = true;
  return true;
}

bool Found::costly_unclear(const records::Progress& p) const {
  return std::any_of(intents.begin(), intents.end(), [&](const records::Intent& intent) {
    if (intent.device_id != p.device_id) return false;
    return std::none_of(p.attempts.begin(), p.attempts.end(), [&](const records::Attempt& a) {
      return a.channel == intent.channel && a.number == intent.number && a.result != records::kInFlight;
    });
  });
}

DeliveryState reached(const records::Progress& p) {
  DeliveryState state = p.state;
  if (state > DeliveryState::opened) return state;
  for (const records::Receipt& r : p.receipts)
    state = std::max(state, r.event == ReceiptEvent::opened ? DeliveryState::opened : DeliveryState::delivered);
  return state;
}

void count(MessageCounts& c, DeliveryState state, uint64_t n) {
  c.accepted += n;
  switch (state) {
    case DeliveryState::opened:
      c.opened += n;
      [[fallthrough]];
    case DeliveryState::delivered:
      c.delivered += n;
      [[fallthrough]];
    case DeliveryState::sent:
      c.sent += n;
      [[fallthrough]];
    case DeliveryState::attempted:
      c.attempted += n;
      break;
    case DeliveryState::suppressed:
      c.suppressed += n;
      break;
    case DeliveryState::failed:
      c.failed += n;
      break;
    case DeliveryState::expired:
      c.expired += n;
      break;
    case DeliveryState::cancelled:
      c.cancelled += n;
      break;
    case DeliveryState::planned:
      break;
  }
}

void count(MessageCounts& c, const records::Progress& p) {
  const DeliveryState state = reached(p);
  count(c, state, 1);
  if (state > DeliveryState::opened && !p.attempts.empty()) ++c.attempted;  // it failed, but not without trying
}

void count(MessageView::Recalls& r, Reason reason) {
  r.asked += is_recall(reason);
  r.taken += reason == Reason::recalled;
  r.failed += reason == Reason::recall_failed;
}

// One word for a whole message: the furthest that any of its deliveries has come, else how it ended.
std::string status_of(const MessageCounts& c, bool planned, bool cancelled) {
  if (c.opened) return "opened";
  if (c.delivered) return "delivered";
  if (c.sent) return "sent";
  const uint64_t ended = c.suppressed + c.failed + c.expired + c.cancelled;
  if (c.accepted > ended) return c.attempted > c.failed + c.expired + c.cancelled ? "attempted" : "planned";
  if (c.failed) return "failed";
  if (c.expired) return "expired";
  if (cancelled || c.cancelled) return "cancelled";
  if (c.suppressed) return "suppressed";
  return planned ? "planned" : "accepted";
}

MessageView show(const Found& f) {
  MessageView v;
  v.message = std::make_shared<const Message>(f.message);
  for (size_t s = 0; s < f.dropped.size() && s <= static_cast<size_t>(DeliveryState::cancelled); ++s)
    count(v.counts, static_cast<DeliveryState>(s), f.dropped[s]);
  v.complete = f.planned && (!f.cursor || f.cursor->done);
  for (const auto& [key, progress] : f.deliveries) {
    count(v.counts, progress);
    count(v.recalls, static_cast<Reason>(std::min<uint8_t>(progress.reason, kReasons - 1)));
    v.complete &= progress.final;
  }
  v.complete |= f.cancelled && f.deliveries.empty();
  v.status = status_of(v.counts, f.planned, f.cancelled);
  return v;
}

DeliveryView show(const Found& f, const records::Progress& p) {
  DeliveryView v;
  v.device_id = p.device_id;
  if (p.device_id.empty() && f.message.to.kind != AudienceKind::token) v.user_id = p.name;
  v.state = reached(p);
  v.reason = p.reason < kReasons ? to_string(static_cast<Reason>(p.reason)) : std::string_view();
  v.planned_ms = p.planned_ms;
  v.final_ms = p.final_ms;
  for (const records::Attempt& a : p.attempts) {
    AttemptView& out = v.attempts.emplace_back();
    out.channel = a.channel;
    out.number = a.number;
    out.started_ms = a.started_ms;
    out.settled_ms = a.settled_ms;
    out.result = a.result > static_cast<uint8_t>(Disposition::expired) ? "in_flight"
                 : a.result == static_cast<uint8_t>(Disposition::target_invalid)
                     ? "token_invalid"
                     : std::string(to_string(static_cast<Disposition>(a.result)));
    out.http_status = a.http_status;
    out.vendor_id = a.vendor_id;
    out.vendor_code = a.vendor_code;
    out.vendor_detail = a.vendor_detail;
    if (a.why > static_cast<uint8_t>(routing::Reason::used_up)) continue;
    const auto mode = routing::to_string(static_cast<routing::Reason>(a.why));
    out.why = fmt::format("{}: {} ({:.2f})", a.channel, mode, a.p);
    out.why_json = fmt::format(R"({{"mode":"{}","p":{:.4f}}})", mode, a.p);
  }
  for (const records::Receipt& r : p.receipts) v.receipts.push_back({r.event, r.source, r.channel, r.at_ms});
  return v;
}

}  // namespace godwit::engine
