#include "broker/intake/intake.hpp"

#include "broker/message/records.hpp"

namespace godwit::intake {
namespace {

// The subject that decides a message's virtual shard. A fan-out has none: its topic or app stands in.
uint32_t vshard_of_audience(const Message& m) {
  return vshard_of(m.app, m.to.names.empty() ? std::string_view() : std::string_view(m.to.names.front()));
}

Hash128 key_hash(const Message& m, std::string_view key) {
  Hash128 h = stable_hash128(key, stable_hash(m.app));
  if (h == Hash128{}) h.low = 1;  // nil means "no key"
  return h;
}

// Share of the open deliveries up to which each priority is let in: what matters least is refused first.
constexpr std::array<double, 4> kRoom = {1.0, 0.95, 0.85, 0.70};

}  // namespace

uint64_t footprint(const Message& m) {
  uint64_t n = sizeof(Message) + m.content.size() + m.app.size() + m.collapse_key.size();
  for (const auto& [channel, json] : m.overrides) n += 64 + channel.size() + json.size();
  for (const std::string& name : m.to.names) n += sizeof(std::string) + name.size();
  return n;
}

Intake::Intake(const IntakeLimits& limits, const Clock& clock, Ledger& ledger, IntakeStats& stats, Deliver deliver)
    : limits_(limits),
      clock_(clock),
      ledger_(ledger),
      stats_(stats),
      deliver_(std::move(deliver)),
      keys_(limits.idempotency_ms, limits.max_idempotency_keys, stats),
      id_seed_(limits.seed ^ static_cast<uint64_t>(clock.wall_ms())) {}

MessageId Intake::random_id(uint32_t vshard, WallMs now) {
  const uint64_t n = id_counter_.fetch_add(1, std::memory_order_relaxed);
  return MessageId::make(now, vshard, stable_hash128({reinterpret_cast<const char*>(&n), sizeof n}, id_seed_));
}

std::optional<Error> Intake::check(const Message& m, WallMs now) const {
  if (m.to.names.empty() && m.to.kind != AudienceKind::all)
    return Error{Code::invalid, "names nobody; give at least one " + std::string(to_string(m.to.kind)), "/to"};
  if (m.ttl_ms < 0 || m.ttl_ms > limits_.max_ttl_ms)
    return Error{Code::invalid, "must lie between 0 and " + std::to_string(limits_.max_ttl_ms / 1000) + " seconds",
                 "/options/ttl"};
  if (m.deliver_at_ms > now + limits_.max_schedule_ms)
    return Error{Code::invalid,
                 "lies further ahead than " + std::to_string(limits_.max_schedule_ms / 86'400'000) + " days",
                 "/options/deliver_at"};
  return std::nullopt;
}

bool Intake::has_room(const Message& m) const {
  const double room = kRoom[static_cast<size_t>(m.priority)];
  const uint64_t open = stats_.open_deliveries.value() + stats_.accepts_on_their_way.value();
  return static_cast<double>(open) < room * static_cast<double>(limits_.max_open_deliveries) &&
         static_cast<double>(stats_.content_bytes.value()) < room * static_cast<double>(limits_.max_content_bytes);
}

bool Intake::has_space(const Message& m) const {
  switch (space_.load(std::memory_order_relaxed)) {
    case SpaceLevel::plenty:
      return true;
    case SpaceLevel::no_bulk:
      return m.priority != Priority::low;
    case SpaceLevel::urgent_only:
      return m.priority == Priority::critical;
    case SpaceLevel::outcomes_only:
      return false;
  }
  return true;
}

void Intake::accept(std::vector<MessageDraft> drafts, AcceptBatch::Done done) {
  const WallMs now = clock_.wall_ms();
  auto batch = std::make_shared<AcceptBatch>(drafts.size(), std::move(done));
  batch->fresh.reserve(drafts.size());
  std::string records, body;
  for (size_t i = 0; i < drafts.size(); ++i) {
    Message& m = drafts[i].message;
    if (closed_ || ledger_.poisoned()) {
      batch->resolve(i, Error{Code::unavailable, "the broker takes no messages now; try again later", {}});
      continue;
    }
    if (auto fault = check(m, now)) {
      batch->resolve(i, std::move(*fault));
      continue;
    }
    if (!has_space(m)) {
      stats_.shed[static_cast<size_t>(m.priority)].bump_shared();
      batch->resolve(i, Error{Code::no_space, "the disk is nearly full; free space and send again", {}});
      continue;
    }
    if (!has_room(m)) {
      stats_.shed[static_cast<size_t>(m.priority)].bump_shared();
      batch->resolve(i, Error{Code::overloaded, "too many messages are open; try again later", {}});
      continue;
    }
    if (m.ttl_ms == 0) m.ttl_ms = limits_.default_ttl_ms;
    const uint32_t vshard = vshard_of_audience(m);
    if (drafts[i].idempotency_key.empty()) {
      m.idempotency_key = {};
      m.id = random_id(vshard, now);
    } else {
      m.idempotency_key = key_hash(m, drafts[i].idempotency_key);
      m.body_hash = records::body_hash(m);
      Waiter waiter = [batch, i](const Result<AcceptAnswer>& first) {
        if (!first) return batch->resolve(i, first);
        AcceptAnswer again = *first;
        again.repeated = true;
        batch->resolve(i, std::move(again));
      };
      auto claim = keys_.claim(m.idempotency_key, m.body_hash, vshard, now, waiter);
      if (std::holds_alternative<IdempotencyTable::Attached>(claim)) {
        stats_.repeated_accepts.bump_shared();
        continue;
      }
      if (std::holds_alternative<IdempotencyTable::Conflict>(claim)) {
        batch->resolve(
            i,
            Error{Code::conflict,
                  "this idempotency key was used for another message within 24 hours; use a new key for a new message",
                  "Idempotency-Key"});
        continue;
      }
      if (const auto* known = std::get_if<AcceptAnswer>(&claim)) {
        stats_.repeated_accepts.bump_shared();
        batch->resolve(i, *known);
        continue;
      }
      m.id = derived_id(m.idempotency_key, vshard, now);
    }
    m.accepted_ms = now;
    if (m.deliver_at_ms == 0) m.deliver_at_ms = now;
    body.clear();
    records::put_accept(body, m);
    append_record(records, RecordType::accept, static_cast<uint16_t>(vshard), body);
    batch->fresh.push_back({std::make_shared<Message>(std::move(m)), 0, static_cast<uint32_t>(i)});
  }

  if (batch->fresh.empty()) return deliver_(std::move(batch));
  const auto count = static_cast<uint32_t>(batch->fresh.size());
  stats_.accepts_on_their_way.bump_shared(count);
  Committed committed = [this, batch](Fate fate, RecordRef first) {
    batch->fate = fate;
    for (size_t i = 0; i < batch->fresh.size(); ++i) batch->fresh[i].position = first.offset + first.index + i;
    deliver_(batch);
  };
  if (ledger_.submit(std::move(records), count, std::move(committed))) return;
  batch->fate = Fate::failed;
  batch->refused = true;
  deliver_(std::move(batch));
}

Error Intake::error_of(const AcceptBatch& batch) {
  if (batch.refused) return {Code::overloaded, "the journal is behind; try again later", {}};
  if (batch.fate == Fate::failed)
    return {Code::no_space, "the journal could not be written; nothing was accepted. Free disk space", {}};
  return {Code::unavailable,
          "it is not known whether the message was stored; repeat the request with the same Idempotency-Key",
          {}};
}

}  // namespace godwit::intake
