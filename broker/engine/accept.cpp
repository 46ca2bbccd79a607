// A batch of drafts comes back from the journal: each message is opened, planned and answered.
#include "broker/engine/core.hpp"

namespace godwit::engine {

void Core::on_batch(const intake::BatchPtr& batch) {
  stats_.accepts_on_their_way.drop_shared(batch->fresh.size());
  const bool durable = batch->fate == Fate::ok;
  for (auto& fresh : batch->fresh) {
    const Hash128 key = fresh.message->idempotency_key;
    const bool keyed = key != Hash128{};
    if (!durable) {
      Result<AcceptAnswer> error = intake::Intake::error_of(*batch);
      batch->resolve(fresh.index, error);
      if (keyed)
        for (auto& waiter : intake_.keys().forget(key)) waiter(error);
      continue;
    }
    AcceptAnswer answer;
    answer.id = fresh.message->id;
    MessageIx ix = book_.find(answer.id);
    if (ix != kNone) {  // the key's hour was forgotten early, but the message is still here
      answer.repeated = true;
    } else {
      ix = open_message(std::move(fresh.message), fresh.position);
      plan(ix);
    }
    const MessageEntry& m = book_.message(ix);
    if (m.planned && m.fanout == nullptr) {
      answer.recipients = m.deliveries - m.counts.suppressed;
      if (*answer.recipients == 0) answer.state = DeliveryState::suppressed;
    }
    Result<AcceptAnswer> result = answer;
    batch->resolve(fresh.index, result);
    if (keyed)
      for (auto& waiter : intake_.keys().answered(key, answer)) waiter(result);
  }
  batch->release();
}

MessageIx Core::open_message(MessagePtr message, uint64_t position) {
  const Message& said = *message;
  const App& app = apps_.of(said.app);
  const MessageIx ix = book_.open(std::move(message));
  MessageEntry& m = book_.message(ix);
  m.app = app.no;
  m.position = position;
  m.expires_ns = now_ + (said.expires_ms() - wall_) * kNsPerMs;
  m.channel_mask = apps_.mask_for(app, said.channels);
  if (!recovering_) app.stats->accepted.bump();
  checkpointer_.grown(64 + said.content.size());
  if (life_feed_.followed()) emit(m, nullptr, "accepted", kAppItself);
  return ix;
}

}  // namespace godwit::engine
