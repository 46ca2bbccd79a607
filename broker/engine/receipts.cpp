// Receipts, from wherever they come: vendors' events, the device itself over the API. Each (message, device, event)
// counts once; who said it decides the kind.
#include <algorithm>

#include "broker/dispatch/parcel.hpp"
#include "broker/engine/core.hpp"
#include "broker/engine/durable_answer.hpp"

namespace godwit::engine {
namespace {

// The receipt bits of the plugin ABI.
std::optional<ReceiptEvent> event_of(uint32_t subkind) {
  switch (subkind) {
    case 2:
      return ReceiptEvent::delivered;
    case 4:
      return ReceiptEvent::displayed;
    case 8:
      return ReceiptEvent::opened;
    case 16:
      return ReceiptEvent::dismissed;
    default:
      return std::nullopt;  // 1: accepted, which the settlement has said already
  }
}

DeliveryState state_of(ReceiptEvent event) {
  return event == ReceiptEvent::opened ? DeliveryState::opened : DeliveryState::delivered;
}

}  // namespace

bool Core::hear(DeliveryIx dix, AttemptIx aix, const Receipt& heard) {
  Delivery& d = book_.delivery(dix);
  if (aix == kNone)  // the app does not know over which channel it came: most likely over the last one
    for (AttemptIx i = d.first_attempt; i != kNone; i = book_.attempt(i).next)
      if (book_.attempt(i).phase == Attempt::Phase::in_flight ||
          (book_.attempt(i).phase == Attempt::Phase::settled &&
           dispatch::verdict_of(book_.attempt(i).result).may_have_arrived))
        aix = i;
  if (aix != kNone && book_.attempt(aix).memo.channel != routing::kNoChannel) {
    // Also when it was counted before: the vendor's word and the device's are two statistics.
    Attempt& a = book_.attempt(aix);
    const WallMs started_ms = book_.message(d.message).at(a.started);
    const double delivered_s =
        heard.at_ms >= started_ms && heard.at_ms <= wall_ ? static_cast<double>(heard.at_ms - started_ms) / 1000 : -1;
    const auto kind =
        heard.source == ReceiptSource::device ? routing::ReceiptKind::device : routing::ReceiptKind::vendor;
    router_.receipt(a.memo, kind, now_, wall_, delivered_s);
    if (heard.event == ReceiptEvent::opened) router_.opened(a.memo, wall_);
  }
  const auto bit = static_cast<uint8_t>(1u << static_cast<unsigned>(heard.event));
  if (d.events & bit) {
    stats_.repeated_receipts.bump();
    return false;
  }
  const bool first_delivery = d.events == 0;
  d.events = static_cast<uint8_t>(d.events | bit);
  if (d.final) stats_.late_receipts.bump();

  book_.add_receipt(d, heard);

  const ChannelNo channel = heard.channel != kAppItself ? heard.channel
                            : aix != kNone              ? book_.attempt(aix).channel
                                                        : kAppItself;
  if (channel != kAppItself) {
    auto& stats = slots_[channel].stats;
    stats.receipts[static_cast<size_t>(heard.source)][static_cast<size_t>(heard.event)].bump();
    if (first_delivery) count_delay(book_.message(d.message), channel);
  }
  reach(dix, state_of(heard.event));
  outcome_due(dix);
  return true;
}

void Core::count_delay(const MessageEntry& m, ChannelNo channel) {
  const int64_t ms = std::max<int64_t>(wall_ - m.message->deliver_at_ms, 0);
  const auto& bounds = EngineStats::kDelayBounds;
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), static_cast<double>(ms) / 1000) - bounds.begin();
  slots_[channel].stats.delays[static_cast<size_t>(bucket)].bump();
  slots_[channel].stats.delay_sum_ms.bump(static_cast<uint64_t>(ms));
}

// ---- Events of channels

void Core::on_events(const std::vector<ChannelEvent>& events) {
  using Kind = ChannelEvent::Kind;
  for (const ChannelEvent& e : events) {
    if (e.channel >= slots_.size()) continue;
    if (!e.event_id.empty() && !seen_events_.is_new(e.channel, e.event_id)) {
      stats_.repeated_receipts.bump();
      continue;
    }
    ChannelSlot& slot = slots_[e.channel];
    switch (e.kind) {
      case Kind::receipt:
        e.payload.empty() ? on_receipt(e) : on_figures(slot, e);
        break;
      case Kind::presence:
        on_presence(e);
        break;
      case Kind::presence_reset:
        on_presence_reset(e.channel);
        break;
      case Kind::token_invalid:
      case Kind::token_changed: {
        const DeviceNo device = device_at(slot, e.address);
        if (device == kNoDevice) break;
        const auto app = registry_.app_of(device), id = registry_.id_of(device);
        const WallMs since = e.at_ms;
        registry_writer_.fact(e.kind == Kind::token_invalid
                                  ? registry_record::token_dead(app, id, slot.name, e.address, since, wall_)
                                  : registry_record::token_changed(app, id, slot.name, e.address, e.payload, wall_));
        break;
      }
      case Kind::quota:
        on_quota(slot, e.payload);
        break;
      case Kind::inbound:
      case Kind::notice:
        break;  // nothing that a message's life depends on
    }
  }
}

void Core::on_receipt(const ChannelEvent& e) {
  ChannelSlot& slot = slots_[e.channel];
  AttemptIx aix = e.vendor_id.empty() ? kNone : book_.find_by_vendor_id(e.channel, e.vendor_id);
  const bool may_be_early = aix == kNone && slot.in_flight > 0 && !e.vendor_id.empty();
  DeliveryIx dix = aix == kNone ? kNone : book_.attempt(aix).delivery;
  const auto said = MessageId::parse(e.message_id);
  // One call may have carried several messages under one vendor id: then the message's own id decides.
  if (dix != kNone && said && *said != book_.message(book_.delivery(dix).message).message->id) aix = dix = kNone;
  if (dix != kNone && slot.caps.multicast && !e.address.empty()) {
    // One call to many targets has one vendor id: which of them this is about, the address says.
    const DeliveryIx named = find_delivery_by_address(book_.message(book_.delivery(dix).message), slot, e.address);
    if (named != dix) aix = kNone;
    dix = named;
  }
  if (dix == kNone) {
    const MessageIx mix = said ? book_.find(*said) : kNone;
    if (mix != kNone) dix = find_delivery_by_address(book_.message(mix), slot, e.address);
  }
  if (dix == kNone) {
    if (!may_be_early || !early_receipts_.hold(e, now_)) stats_.unknown_receipts.bump();
    return;
  }
  if (aix == kNone)
    for (AttemptIx i = book_.delivery(dix).first_attempt; i != kNone; i = book_.attempt(i).next)
      if (book_.attempt(i).channel == e.channel) aix = i;
  const auto event = event_of(e.subkind);
  if (!event) return;
  const bool by_device = e.by_device || slot.caps.vendor_receipts_are_device;
  if (by_device && slot.caps.presence) slot.presence.confirmed(book_.delivery(dix).device);
  hear(dix, aix,
       {*event, by_device ? ReceiptSource::device : ReceiptSource::vendor, e.channel, kNone,
        e.at_ms != 0 ? e.at_ms : wall_});
}

DeliveryIx Core::find_delivery_by_address(const MessageEntry& m, const ChannelSlot& slot,
                                          const std::string& address) const {
  if (m.deliveries == 1 && (address.empty() || book_.delivery(m.first).bare_token)) return m.first;
  if (address.empty()) return kNone;
  const DeviceNo by_token = registry_.find_token(m.message->app, slot.name, address);
  if (by_token != kNoDevice) return book_.find_delivery(m, by_token);
  const auto [app, id] = dispatch::split_address(address);
  if (app == m.message->app) return book_.find_delivery(m, registry_.find(app, id));
  // The token may have been replaced since; but of a message to many it is not known whose it was.
  return m.counts.accepted == 1 && m.deliveries == 1 && !slot.caps.presence ? m.first : kNone;
}

void Core::remember_vendor_id(AttemptIx aix) {
  const Attempt& a = book_.attempt(aix);
  book_.remember_vendor_id(aix);
  if (early_receipts_.empty()) return;
  for (ChannelEvent& e : early_receipts_.take(a.channel, a.words->id)) arrived_early_.push_back(std::move(e));
}

// ---- What the app or the device reports over the API

void Core::report_receipts(const std::string& app, std::vector<ReceiptReport> reports, Done<ReceiptAnswer> done) {
  ReceiptAnswer answer;
  std::string records;
  uint32_t count = 0;
  for (const ReceiptReport& r : reports) {
    const MessageIx mix = book_.find(app, r.message);
    const DeliveryIx dix =
        mix == kNone ? kNone : book_.find_delivery(book_.message(mix), registry_.find(app, r.device_id));
    if (dix == kNone) {
      ++answer.unknown;
      stats_.unknown_receipts.bump();
      continue;
    }
    const WallMs at = r.at_ms != 0 ? r.at_ms : wall_;
    if (!hear(dix, kNone, {r.event, ReceiptSource::device, kAppItself, kNone, at})) {
      ++answer.repeated;
      continue;
    }
    ++answer.counted;
    body_buffer_.clear();
    records::put_receipt(body_buffer_, r.message, r.device_id, {r.event, ReceiptSource::device, {}, at});
    append_record(records, RecordType::receipt, static_cast<uint16_t>(r.message.vshard()), body_buffer_);
    ++count;
  }
  if (count == 0) return done(answer);
  answer_when_durable(parts_.ledger, post_job_, std::move(records), count, std::move(done), answer);
}

}  // namespace godwit::engine
