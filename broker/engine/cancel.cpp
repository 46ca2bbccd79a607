// Cancelling: what has not gone out never will; what is with a channel is called back where that is still possible;
// what a vendor has taken is recalled where the channel can (recall.cpp).
#include "broker/engine/core.hpp"

namespace godwit::engine {

void Core::cancel_message(const std::string& app, MessageId id, Done<CancelAnswer> done) {
  const MessageIx ix = book_.find(app, id);
  if (ix == kNone) return done(Error{Code::not_found, "no such message, or it ended long ago", id.text()});
  const MessageEntry& m = book_.message(ix);
  bool acts = !m.complete && !m.cancelled;
  if (m.complete && !m.cancelled)
    for (DeliveryIx i = m.first; i != kNone && !acts; i = book_.delivery(i).next) acts = may_recall(book_.delivery(i));
  if (!acts) {
    CancelAnswer answer;
    answer.already_out = m.counts.sent;
    return done(answer);
  }
  std::string records;
  body_buffer_.clear();
  records::put_cancel(body_buffer_, {id, wall_});
  append_record(records, RecordType::cancel, static_cast<uint16_t>(id.vshard()), body_buffer_);
  auto shared = std::make_shared<Done<CancelAnswer>>(std::move(done));
  auto committed = [this, shared, app, id](Fate fate, RecordRef) {
    post_([shared, app, id, fate](Core& core) {
      if (fate != Fate::ok) return (*shared)(journal_error(fate));
      const MessageIx found = core.book_.find(app, id);
      (*shared)(found == kNone ? CancelAnswer{} : core.cancel_now(found));
    });
  };
  if (!parts_.ledger.submit(std::move(records), 1, std::move(committed))) (*shared)(journal_behind());
}

CancelAnswer Core::cancel_now(MessageIx ix) {
  CancelAnswer answer;
  MessageEntry& m = book_.message(ix);
  m.cancelled = true;
  if (!m.planned) {  // scheduled: it has no deliveries yet and never will
    if (m.timer != planner::TimerWheel::kNone) --scheduled_;
    timers_.cancel(m.timer);
    m.planned = true;
    answer.cancelled = 1;
    if (life_feed_.followed()) emit(m, nullptr, "cancelled", kAppItself);
  }
  if (m.fanout) m.fanout->done = true;
  std::vector<AttemptIx> wishes;
  for (DeliveryIx i = m.first, next; i != kNone; i = next) {
    Delivery& d = book_.delivery(i);
    next = d.next;
    if (d.state >= DeliveryState::sent && d.state <= DeliveryState::opened) ++answer.already_out;
    d.cancel_wished = true;
    if (may_recall(d)) {
      ++answer.recalling;
      note_recall(i, wishes);
    }
    if (d.final) continue;
    d.waits_for_presence = false;
    book_.drop_queued(d);
    if (d.live > 0) {
      if (d.state < DeliveryState::sent) ++answer.already_out;
      for (AttemptIx a = d.first_attempt; a != kNone; a = book_.attempt(a).next)
        if (book_.attempt(a).phase == Attempt::Phase::in_flight)
          channels_->cancel(book_.attempt(a).channel, flights_.name_of(book_.attempt(a).flight));
    } else if (d.state < DeliveryState::sent) {
      ++answer.cancelled;
      finish(i, DeliveryState::cancelled, Reason::cancelled);
    } else {
      end_cascade(i, {});
    }
  }
  queue_recalls(wishes);
  complete_if_done(ix);
  return answer;
}

}  // namespace godwit::engine
