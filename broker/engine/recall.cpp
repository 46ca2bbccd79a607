// Recall: what a channel had taken when its message was cancelled is asked back, where the channel can do that.
//
// The delivery keeps the state it has reached (the vendor did take it), and its reason tells how the recall went:
// recall_asked, recalled, recall_failed. At most kAtOnce recalls are with a channel; the rest waits here, and is given
// up after kPatience. The wish survives a crash: CANCEL is durable before, and what has no end is asked again.
#include <algorithm>

#include "broker/dispatch/parcel.hpp"
#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr uint32_t kAtOnce = 64;
constexpr unsigned kMostTries = 3;
constexpr MonoNs kPatience = 600 * kNsPerSecond;

bool is_recallable(const Attempt& a) {
  return a.phase == Attempt::Phase::settled && dispatch::verdict_of(a.result).may_have_arrived;
}

}  // namespace

// Somebody who has opened it has read it: nothing is left to take back.
bool Core::may_recall(const Delivery& d) const {
  if (d.state > DeliveryState::delivered || d.reason == Reason::recalled || d.reason == Reason::recall_failed)
    return false;
  for (AttemptIx i = d.first_attempt; i != kNone; i = book_.attempt(i).next)
    if (is_recallable(book_.attempt(i)) && slots_[book_.attempt(i).channel].caps.recall) return true;
  return false;
}

void Core::note_recall(DeliveryIx dix, std::vector<AttemptIx>& wishes) {
  Delivery& d = book_.delivery(dix);
  for (AttemptIx i = d.first_attempt; i != kNone; i = book_.attempt(i).next)
    if (is_recallable(book_.attempt(i)) && slots_[book_.attempt(i).channel].caps.recall) wishes.push_back(i);
  d.reason = Reason::recall_asked;
  outcome_due(dix);
}

// What went out in one call to many comes back in one call, if the channel knows how.
void Core::queue_recalls(const std::vector<AttemptIx>& wishes) {
  boost::unordered_flat_map<std::string, size_t> by_vendor_id;  // -> index in the channel's queue
  for (const AttemptIx aix : wishes) {
    const Attempt& a = book_.attempt(aix);
    ChannelSlot& slot = slots_[a.channel];
    if (a.words && !a.words->id.empty() && slot.caps.multicast) {
      const auto [it, fresh] =
          by_vendor_id.try_emplace(std::to_string(a.channel) + '/' + a.words->id, slot.recalls.size());
      if (!fresh) {
        slot.recalls[it->second].attempts.push_back(book_.attempts().name_of(aix));
        continue;
      }
    }
    slot.recalls.push_back({{book_.attempts().name_of(aix)}, 0, now_ + kPatience, 0});
  }
  more_ |= !wishes.empty();
}

bool Core::pump_recalls() {
  for (ChannelSlot& slot : slots_) {
    while (!slot.recalls.empty() && slot.recalling < kAtOnce && slot.recalls.front().not_before_ns <= now_) {
      const bool is_up = slot.sleep != routing::Sleep::down && slot.sleep != routing::Sleep::disabled;
      if (!is_up && now_ < slot.recalls.front().give_up_ns) break;
      ChannelSlot::Recall recall = std::move(slot.recalls.front());
      slot.recalls.pop_front();
      if (is_up)
        send_recall(slot, std::move(recall));
      else
        for (const uint64_t attempt : recall.attempts)
          end_recall(attempt, {RecallEnd::refused, "the channel was not ready in time"});
    }
  }
  return false;  // the channels' answers bring us back
}

void Core::send_recall(ChannelSlot& slot, ChannelSlot::Recall recall) {
  const AttemptIx aix = book_.attempts().find(recall.attempts.front());
  if (aix == kNone) {  // let go of meanwhile: the others of the call are as good a name
    recall.attempts.erase(recall.attempts.begin());
    if (!recall.attempts.empty()) slot.recalls.push_front(std::move(recall));
    return;
  }
  const Attempt& a = book_.attempt(aix);
  const Delivery& d = book_.delivery(a.delivery);
  const MessageEntry& m = book_.message(d.message);
  RecallWish wish;
  wish.message_id = m.message->id.text();
  wish.app = m.message->app;
  if (a.words) wish.vendor_id = a.words->id;
  wish.everybody = recall.attempts.size() > 1;
  if (!wish.everybody) {
    wish.target = target_of(m, d, slot);
    if (!m.message->collapse_key.empty()) {
      std::string& extra = wish.target.extra;
      if (extra.empty()) extra = "{}";
      std::string member = extra.size() > 2 ? ",\"collapse_key\":" : "\"collapse_key\":";
      dispatch::append_json_string(member, m.message->collapse_key);
      extra.insert(extra.size() - 1, member);
    }
  }
  ++recall.tries;
  ++slot.recalling;
  auto shared = std::make_shared<ChannelSlot::Recall>(std::move(recall));
  channels_->recall(slot.no, std::move(wish), [this, no = slot.no, shared](RecallAnswer answer) {
    post_([no, shared, answer = std::move(answer)](Core& core) { core.on_recall(no, std::move(*shared), answer); });
  });
}

void Core::on_recall(ChannelNo channel, ChannelSlot::Recall recall, const RecallAnswer& answer) {
  ChannelSlot& slot = slots_[channel];
  --slot.recalling;
  if (answer.end == RecallEnd::unsupported && recall.attempts.size() > 1) {  // then target by target
    for (auto it = recall.attempts.rbegin(); it != recall.attempts.rend(); ++it)
      slot.recalls.push_front({{*it}, 0, recall.give_up_ns, 0});
    more_ = true;
    return;
  }
  if (answer.end == RecallEnd::later && recall.tries < kMostTries) {
    recall.not_before_ns = now_ + (kNsPerSecond << recall.tries);
    slot.recalls.push_back(std::move(recall));
    return;
  }
  for (const uint64_t attempt : recall.attempts) end_recall(attempt, answer);
}

void Core::end_recall(uint64_t attempt, const RecallAnswer& answer) {
  const AttemptIx aix = book_.attempts().find(attempt);
  if (aix == kNone) return;
  Attempt& a = book_.attempt(aix);
  Delivery& d = book_.delivery(a.delivery);
  const bool taken = answer.end == RecallEnd::taken;
  if (d.reason != Reason::recalled) d.reason = taken ? Reason::recalled : Reason::recall_failed;
  const VendorWordsPtr words = a.words ? a.words : VendorWordsPtr(new VendorWords);
  std::string detail = words->detail;
  if (!detail.empty()) detail += "; ";
  detail += taken ? "recall taken" : answer.end == RecallEnd::too_late ? "recall came too late" : "recall refused";
  if (!answer.detail.empty()) detail += ": " + answer.detail;
  a.words = words_.keep(words->id, words->code, detail, words->http_status);
  outcome_due(a.delivery);
  if (life_feed_.followed())
    emit(book_.message(d.message), &d, taken ? "recalled" : "recall_failed", a.channel, answer.detail);
}

}  // namespace godwit::engine
