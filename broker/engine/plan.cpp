// Planning: from a message to its deliveries, one per device. Fan-outs (topic, all) draw devices little by little.
#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr uint64_t kFanoutSlice = 512;      // devices of one fan-out in a turn: the engine stays responsive
constexpr uint64_t kCursorEvery = 1'000;    // devices between two CURSOR records
constexpr uint64_t kBehindBytes = 4 << 20;  // queued for the journal: as much as it takes in one batch
constexpr uint32_t kDeviceIndexFrom = 9;    // deliveries of a message from which on they are found by a map

}  // namespace

void Core::plan(MessageIx ix) {
  MessageEntry& m = messages_[ix];
  const Message& said = *m.message;
  if (said.deliver_at_ms > wall_ && !m.cancelled) {
    ++scheduled_;
    m.timer = timers_.arm(now_ + (said.deliver_at_ms - wall_) * kNsPerMs, timer_payload(TimerKind::message, ix));
    return;
  }
  if (planner::is_fanout(said)) {
    m.planned = true;
    m.fanout = std::make_unique<FanOut>();
    fanouts_.push_back(ix);
    work_fanout(ix, kFanoutSlice);
    return;
  }
  planner::expand(said, registry_, recipients_);
  for (const DeviceNo device : recipients_.devices) add_delivery(ix, device);
  for (const uint32_t name : recipients_.nobody) add_nobody(ix, name);
  m.planned = true;  // not earlier: the first delivery may end at once, and the message is not complete then
  complete_if_done(ix);
}

DeliveryIx Core::link_delivery(MessageIx ix) {
  MessageEntry& m = messages_[ix];
  const DeliveryIx dix = deliveries_.add();
  Delivery& d = deliveries_[dix];
  d.message = ix;
  d.planned = m.since(wall_);
  if (m.last == kNone)
    m.first = dix;
  else
    deliveries_[m.last].next = dix;
  m.last = dix;
  ++m.deliveries;
  ++m.open;
  ++m.counts.accepted;
  ++open_deliveries_;
  if (!recovering_) apps_[m.app].stats->states[static_cast<size_t>(DeliveryState::planned)].bump();
  return dix;
}

void Core::index_delivery(MessageEntry& m, DeliveryIx dix) {
  if (m.indexed) return void(by_device_.insert(dix));
  if (m.deliveries < kDeviceIndexFrom) return;
  m.indexed = true;
  for (DeliveryIx i = m.first; i != kNone; i = deliveries_[i].next) by_device_.insert(i);
}

void Core::add_delivery(MessageIx ix, DeviceNo device) {
  router_.prefetch(device);  // decided a few steps below
  const DeliveryIx dix = link_delivery(ix);
  MessageEntry& m = messages_[ix];
  Delivery& d = deliveries_[dix];
  d.device = device;
  d.inbox_seq = inbox_seq_ = std::max(inbox_seq_ + 1, static_cast<uint64_t>(wall_) << 12);
  index_delivery(m, dix);
  list_for_device(dix);
  if (m.fanout) {
    ++m.fanout->open;
    ++fanout_window_;
    d.in_fanout_window = true;
  }
  if (!subscribers_.empty()) emit(m, &d, "planned", kAppItself);
  if (m.collapse_hash != 0) collapse_older(ix, dix);
  route(dix);
  if (!polls_.empty()) wake_inbox(device);
}

// A name that no device answers to. A registration token is sent to all the same: who sends to it knows what he does.
void Core::add_nobody(MessageIx ix, uint32_t name) {
  const DeliveryIx dix = link_delivery(ix);
  Delivery& d = deliveries_[dix];
  d.name = name;
  if (messages_[ix].message->to.kind != AudienceKind::token)
    return finish(dix, DeliveryState::suppressed, Reason::no_device);
  d.bare_token = true;
  route(dix);
}

// A newer message with the same collapse key takes the place of one that has not gone out yet.
void Core::collapse_older(MessageIx ix, DeliveryIx dix) {
  const uint64_t key = messages_[ix].collapse_hash ^ (deliveries_[dix].device * 0x9e3779b97f4a7c15ull);
  const auto [it, fresh] = collapse_.try_emplace(key, dix);
  if (fresh) return;
  const DeliveryIx older = std::exchange(it->second, dix);
  if (!deliveries_.alive(older)) return;
  Delivery& old = deliveries_[older];
  if (old.final || old.device != deliveries_[dix].device ||
      messages_[old.message].collapse_hash != messages_[ix].collapse_hash)
    return;  // the slot belongs to somebody else by now
  stats_.collapsed.bump();
  drop_queued(old);
  if (old.live == 0 && old.state < DeliveryState::sent)
    return finish(older, DeliveryState::suppressed, Reason::collapsed);
  // It is out already: let it end, but start nothing more for it.
  old.superseded = old.cascade_over = true;
  if (!old.waits_for_presence) return;
  old.waits_for_presence = false;
  end_cascade(older, {});
}

// ---- Fan-outs

bool Core::work_fanouts() {
  // As many turns as there are fan-outs: each gets its slice.
  for (size_t n = fanouts_.size(); n > 0 && may_draw(); --n) {
    const MessageIx ix = fanouts_.front();
    fanouts_.pop_front();
    if (!messages_.alive(ix) || !messages_[ix].fanout || messages_[ix].fanout->done) continue;
    fanouts_.push_back(ix);
    work_fanout(ix, kFanoutSlice);
  }
  while (!fanouts_.empty()) {
    const MessageIx ix = fanouts_.front();
    if (messages_.alive(ix) && messages_[ix].fanout && !messages_[ix].fanout->done) break;
    fanouts_.pop_front();
  }
  return !fanouts_.empty() && may_draw();
}

// The deepest backlog belongs to fan-outs: they stop drawing before anybody else is refused, and while the journal is
// behind with what became of those that they have drawn (they would queue there instead).
bool Core::may_draw() const {
  return fanout_window_ < options_.max_fanout_open && open_deliveries_ < options_.max_open_deliveries * 7 / 10 &&
         !journal_is_behind();
}

bool Core::journal_is_behind() const {
  return parts_.ledger.queued_bytes() >= kBehindBytes;
}

void Core::work_fanout(MessageIx ix, uint64_t budget) {
  while (budget-- > 0 && may_draw()) {
    MessageEntry& m = messages_[ix];
    FanOut& f = *m.fanout;
    const bool over = m.cancelled || now_ >= m.expires_ns;
    const DeviceNo device = over ? kNoDevice : planner::next_of_fanout(*m.message, registry_, f.next);
    if (device == kNoDevice) {
      f.done = true;
      write_cursor(m);
      if (m.deliveries == 0 && m.counts.accepted == 0 && !m.cancelled) {
        // Nobody is subscribed: the message ends, and says so.
        finish(link_delivery(ix), DeliveryState::suppressed, Reason::no_device);
      }
      complete_if_done(ix);
      return;
    }
    f.next = device + 1;
    if (f.skip.contains(device)) continue;  // it has a delivery from before the restart
    ++f.planned;
    add_delivery(ix, device);
    if (messages_[ix].fanout->planned - f.cursor_at >= kCursorEvery) write_cursor(messages_[ix]);
  }
}

void Core::write_cursor(const MessageEntry& m) {
  m.fanout->cursor_at = m.fanout->planned;
  body_buffer_.clear();
  records::put_cursor(body_buffer_, {m.message->id, m.fanout->next, m.fanout->planned, m.fanout->done});
  append_record(record_buffer_, RecordType::cursor, static_cast<uint16_t>(m.message->id.vshard()), body_buffer_);
  ++record_count_;
}

// The delivery went out, ended or waits: another device may be drawn.
void Core::leave_fanout_window(DeliveryIx dix) {
  Delivery& d = deliveries_[dix];
  if (!d.in_fanout_window) return;
  d.in_fanout_window = false;
  --fanout_window_;
}

}  // namespace godwit::engine
