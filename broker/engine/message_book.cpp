#include "broker/engine/message_book.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "broker/base/hash.hpp"
#include "broker/intake/intake.hpp"

namespace godwit::engine {
namespace {

constexpr uint32_t kDeviceIndexFrom = 9;  // deliveries of a message from which on they are found by a map

}  // namespace

// ---- Messages

MessageIx MessageBook::open(MessagePtr message) {
  const Message& said = *message;
  const MessageIx ix = messages_.add();
  MessageEntry& m = messages_[ix];
  if (!said.collapse_key.empty()) {
    m.collapse_hash = stable_hash(said.collapse_key, stable_hash(said.app));
    m.collapse_hash += m.collapse_hash == 0;
  }
  content_bytes_ += intake::footprint(said);
  by_id_.emplace(said.id, ix);
  m.message = std::move(message);
  return ix;
}

MessageIx MessageBook::find(MessageId id) const {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? kNone : it->second;
}

MessageIx MessageBook::find(std::string_view app, MessageId id) const {
  const MessageIx ix = find(id);
  return ix == kNone || messages_[ix].message->app != app ? kNone : ix;
}

void MessageBook::complete(MessageIx ix) {
  MessageEntry& m = messages_[ix];
  m.complete = true;
  finished_.push_back(messages_.name_of(ix));
  if (m.collapse_hash == 0) return;
  for (DeliveryIx i = m.first; i != kNone; i = deliveries_[i].next) {
    const auto it = collapse_.find(collapse_key(m, deliveries_[i]));
    if (it != collapse_.end() && it->second == i) collapse_.erase(it);
  }
}

// ---- Deliveries

DeliveryIx MessageBook::add_delivery(MessageIx ix) {
  MessageEntry& m = messages_[ix];
  const DeliveryIx dix = deliveries_.add();
  deliveries_[dix].message = ix;
  (m.last == kNone ? m.first : deliveries_[m.last].next) = dix;
  m.last = dix;
  ++m.deliveries;
  ++m.open;
  ++open_deliveries_;
  return dix;
}

void MessageBook::address(DeliveryIx dix, DeviceNo device, WallMs now) {
  Delivery& d = deliveries_[dix];
  d.device = device;
  d.inbox_seq = inbox_seq_ = std::max(inbox_seq_ + 1, static_cast<uint64_t>(now) << 12);
  index(messages_[d.message], dix);
  if (device >= newest_.size()) newest_.resize(device + 1, kNone);
  d.device_next = std::exchange(newest_[device], dix);
  if (d.device_next != kNone) deliveries_[d.device_next].device_prev = dix;
  d.listed = true;
}

// Most messages have a few deliveries, which are found by looking at them all.
void MessageBook::index(MessageEntry& m, DeliveryIx dix) {
  if (m.indexed) return void(by_device_.insert(dix));
  if (m.deliveries < kDeviceIndexFrom) return;
  m.indexed = true;
  for (DeliveryIx i = m.first; i != kNone; i = deliveries_[i].next) by_device_.insert(i);
}

DeliveryIx MessageBook::find_delivery(const MessageEntry& m, DeviceNo device) const {
  if (device == kNoDevice || m.first == kNone) return kNone;
  if (m.indexed) {
    const auto it = by_device_.find(MessageAndDevice{deliveries_[m.first].message, device});
    return it == by_device_.end() ? kNone : *it;
  }
  for (DeliveryIx i = m.first; i != kNone; i = deliveries_[i].next)
    if (deliveries_[i].device == device) return i;
  return kNone;
}

void MessageBook::leave_inbox(Delivery& d) {
  if (!d.listed) return;
  d.listed = false;
  (d.device_prev == kNone ? newest_[d.device] : deliveries_[d.device_prev].device_next) = d.device_next;
  if (d.device_next != kNone) deliveries_[d.device_next].device_prev = d.device_prev;
  d.device_prev = d.device_next = kNone;
}

DeliveryIx MessageBook::supersede(DeliveryIx dix) {
  const Delivery& d = deliveries_[dix];
  const MessageEntry& m = messages_[d.message];
  const auto [it, fresh] = collapse_.try_emplace(collapse_key(m, d), dix);
  if (fresh) return kNone;
  const DeliveryIx older = std::exchange(it->second, dix);
  if (!deliveries_.alive(older)) return kNone;
  const Delivery& old = deliveries_[older];  // or whoever has its number or its hash by now
  const bool alike = old.device == d.device && messages_[old.message].collapse_hash == m.collapse_hash;
  return alike && !old.final ? older : kNone;
}

void MessageBook::finish(DeliveryIx dix) {
  Delivery& d = deliveries_[dix];
  assert(!d.final);
  MessageEntry& m = messages_[d.message];
  d.final = true;
  --m.open;
  --open_deliveries_;
}

void MessageBook::drop_first(MessageIx ix) {
  MessageEntry& m = messages_[ix];
  const DeliveryIx dix = m.first;
  const Delivery& d = deliveries_[dix];
  assert(d.final && d.live == 0);
  if (!m.dropped) m.dropped = std::make_unique<std::array<uint64_t, 9>>();
  ++(*m.dropped)[static_cast<size_t>(d.state)];
  m.first = d.next;
  if (m.first == kNone) m.last = kNone;
  --m.deliveries;
  remove_delivery(m, dix);
}

// ---- Attempts and receipts

AttemptIx MessageBook::add_attempt(DeliveryIx dix, ChannelNo channel, uint8_t number) {
  Delivery& d = deliveries_[dix];
  const AttemptIx aix = attempts_.add();
  Attempt& a = attempts_[aix];
  a.delivery = dix;
  a.channel = channel;
  a.number = d.attempts = number;
  a.memo.channel = routing::kNoChannel;
  const AttemptIx last = last_attempt(d);
  (last == kNone ? d.first_attempt : attempts_[last].next) = aix;
  return aix;
}

AttemptIx MessageBook::last_attempt(const Delivery& d) const {
  AttemptIx last = d.first_attempt;
  while (last != kNone && attempts_[last].next != kNone) last = attempts_[last].next;
  return last;
}

Attempt* MessageBook::last_attempt_on(const Delivery& d, ChannelNo channel) {
  Attempt* found = nullptr;
  for (AttemptIx i = d.first_attempt; i != kNone; i = attempts_[i].next)
    if (attempts_[i].channel == channel) found = &attempts_[i];
  return found;
}

void MessageBook::drop_queued(Delivery& d) {
  AttemptIx* place = &d.first_attempt;
  while (*place != kNone) {
    Attempt& a = attempts_[*place];
    if (a.phase != Attempt::Phase::queued) {
      place = &a.next;
      continue;
    }
    *place = a.next;
    a.delivery = kNone;
    --d.live;
    --d.attempts;
  }
}

void MessageBook::remove_dropped(AttemptIx aix) {
  assert(attempts_[aix].delivery == kNone);
  attempts_.remove(aix);
}

void MessageBook::add_receipt(Delivery& d, const Receipt& receipt) {
  const ReceiptIx rix = receipts_.add();
  receipts_[rix] = receipt;
  ReceiptIx* last = &d.receipts;
  while (*last != kNone) last = &receipts_[*last].next;
  *last = rix;
}

// ---- Letting go

void MessageBook::evict(uint64_t most_finished_deliveries, uint64_t most_content_bytes) {
  for (size_t n = finished_.size(); n > 0; --n) {
    if (finished_deliveries() <= most_finished_deliveries && content_bytes_ <= most_content_bytes) return;
    const uint64_t name = finished_.front();
    finished_.pop_front();
    const MessageIx ix = messages_.find(name);
    if (is_with_a_channel(messages_[ix]))
      finished_.push_back(name);
    else
      remove(ix);
  }
}

bool MessageBook::is_with_a_channel(const MessageEntry& m) const {
  for (DeliveryIx i = m.first; i != kNone; i = deliveries_[i].next)
    if (deliveries_[i].live > 0) return true;
  return false;
}

void MessageBook::remove(MessageIx ix) {
  const MessageEntry& m = messages_[ix];
  for (DeliveryIx i = m.first, next; i != kNone; i = next) {
    next = deliveries_[i].next;
    remove_delivery(m, i);
  }
  content_bytes_ -= intake::footprint(*m.message);
  by_id_.erase(m.message->id);
  messages_.remove(ix);
}

void MessageBook::remove_delivery(const MessageEntry& m, DeliveryIx dix) {
  Delivery& d = deliveries_[dix];
  assert(!d.outcome_due);  // its OUTCOME could not name it any more
  if (m.indexed) by_device_.erase(dix);
  leave_inbox(d);
  for (AttemptIx i = d.first_attempt, next; i != kNone; i = next) {
    next = attempts_[i].next;
    vendor_ids_.forget(i);
    attempts_.remove(i);
  }
  for (ReceiptIx i = d.receipts, next; i != kNone; i = next) {
    next = receipts_[i].next;
    receipts_.remove(i);
  }
  deliveries_.remove(dix);
}

}  // namespace godwit::engine
