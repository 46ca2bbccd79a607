// Planning: from a message to its deliveries, one per device. Fan-outs (topic, all) draw devices little by little.
#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr uint64_t kFanoutSlice = 512;      // devices of one fan-out in a turn: the engine stays responsive
constexpr uint64_t kCursorEvery = 1'000;    // devices between two CURSOR records
constexpr uint64_t kBehindBytes = 4 << 20;  // queued for the journal: as much as it takes in one batch

}  // namespace

void Core::plan(MessageIx ix) {
  MessageEntry& m = book_.message(ix);
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

DeliveryIx Core::begin_delivery(MessageIx ix) {
  const DeliveryIx dix = book_.add_delivery(ix);
  MessageEntry& m = book_.message(ix);
  book_.delivery(dix).planned = m.since(wall_);
  ++m.counts.accepted;
  if (!recovering_) apps_[m.app].stats->states[static_cast<size_t>(DeliveryState::planned)].bump();
  return dix;
}

void Core::add_delivery(MessageIx ix, DeviceNo device) {
  router_.prefetch(device);  // decided a few steps below
  const DeliveryIx dix = begin_delivery(ix);
  book_.address(dix, device, wall_);
  const MessageEntry& m = book_.message(ix);
  Delivery& d = book_.delivery(dix);
  if (m.fanout) {
    ++fanout_window_;
    d.in_fanout_window = true;
  }
  if (life_feed_.followed()) emit(m, &d, "planned", kAppItself);
  if (m.collapse_hash != 0) collapse_older(dix);
  route(dix);
  if (!polls_.empty()) wake_inbox(device);
}

// A name that no device answers to. A registration token is sent to all the same: who sends to it knows what he does.
void Core::add_nobody(MessageIx ix, uint32_t name) {
  const DeliveryIx dix = begin_delivery(ix);
  Delivery& d = book_.delivery(dix);
  d.name = name;
  if (book_.message(ix).message->to.kind != AudienceKind::token)
    return finish(dix, DeliveryState::suppressed, Reason::no_device);
  d.bare_token = true;
  route(dix);
}

// A newer message with the same collapse key takes the place of one that has not gone out yet.
void Core::collapse_older(DeliveryIx dix) {
  const DeliveryIx older = book_.supersede(dix);
  if (older == kNone) return;
  Delivery& old = book_.delivery(older);
  stats_.collapsed.bump();
  book_.drop_queued(old);
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
    if (!book_.messages().alive(ix) || !book_.message(ix).fanout || book_.message(ix).fanout->done) continue;
    fanouts_.push_back(ix);
    work_fanout(ix, kFanoutSlice);
  }
  while (!fanouts_.empty()) {
    const MessageIx ix = fanouts_.front();
    if (book_.messages().alive(ix) && book_.message(ix).fanout && !book_.message(ix).fanout->done) break;
    fanouts_.pop_front();
  }
  return !fanouts_.empty() && may_draw();
}

// The deepest backlog belongs to fan-outs: they stop drawing before anybody else is refused, and while the journal is
// behind with what became of those that they have drawn (they would queue there instead).
bool Core::may_draw() const {
  return fanout_window_ < options_.max_fanout_open && book_.open_deliveries() < options_.max_open_deliveries * 7 / 10 &&
         !journal_is_behind();
}

bool Core::journal_is_behind() const {
  return parts_.ledger.queued_bytes() >= kBehindBytes;
}

void Core::work_fanout(MessageIx ix, uint64_t budget) {
  while (budget-- > 0 && may_draw()) {
    MessageEntry& m = book_.message(ix);
    FanOut& f = *m.fanout;
    const bool over = m.cancelled || now_ >= m.expires_ns;
    const DeviceNo device = over ? kNoDevice : planner::next_of_fanout(*m.message, registry_, f.next);
    if (device == kNoDevice) {
      f.done = true;
      write_cursor(m);
      if (m.deliveries == 0 && m.counts.accepted == 0 && !m.cancelled) {
        // Nobody is subscribed: the message ends, and says so.
        finish(begin_delivery(ix), DeliveryState::suppressed, Reason::no_device);
      }
      complete_if_done(ix);
      return;
    }
    f.next = device + 1;
    if (f.skip.contains(device)) continue;  // it has a delivery from before the restart
    ++f.planned;
    add_delivery(ix, device);
    if (book_.message(ix).fanout->planned - f.cursor_at >= kCursorEvery) write_cursor(book_.message(ix));
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
  Delivery& d = book_.delivery(dix);
  if (!d.in_fanout_window) return;
  d.in_fanout_window = false;
  --fanout_window_;
}

}  // namespace godwit::engine
