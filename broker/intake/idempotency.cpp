#include "broker/intake/idempotency.hpp"

#include <algorithm>

namespace godwit::intake {
namespace {

constexpr int64_t kHourMs = 3'600'000;
constexpr uint32_t kUnknownRecipients = ~0u;
constexpr uint16_t kOnItsWay = 1u << 15;

uint16_t pack(uint32_t vshard, DeliveryState state, bool on_its_way) {
  return static_cast<uint16_t>((vshard & 0x3ff) | (static_cast<uint16_t>(state) << 10) | (on_its_way ? kOnItsWay : 0));
}
static_assert(kVirtualShards <= 1024 && static_cast<int>(DeliveryState::cancelled) < 16);

// Hours are kept modulo 2^16; the live ones lie within a few weeks, so the age is exact.
int64_t age_in_hours(uint16_t hour, int64_t now_hour) {
  return static_cast<int16_t>(static_cast<uint16_t>(now_hour) - hour);
}

}  // namespace

MessageId derived_id(Hash128 key, uint32_t vshard, WallMs now) {
  return MessageId::make(now - now % kHourMs, vshard, key);
}

IdempotencyTable::IdempotencyTable(int64_t life_ms, uint64_t max_keys, IntakeStats& stats)
    : life_hours_((life_ms + kHourMs - 1) / kHourMs),
      max_keys_a_stripe_(std::max<uint64_t>(max_keys / kStripes, 1)),
      stats_(stats) {}

IdempotencyTable::Claim IdempotencyTable::claim(Hash128 key, uint64_t body_hash, uint32_t vshard, WallMs now,
                                                Waiter& waiter) {
  const int64_t hour = now / kHourMs;
  Stripe& s = stripe(key);
  std::lock_guard lock(s.mutex);
  sweep(s, hour);
  const auto [it, fresh] = s.entries.try_emplace(key, Entry{body_hash, kUnknownRecipients, static_cast<uint16_t>(hour),
                                                            pack(vshard, DeliveryState::planned, true)});
  if (fresh) {
    stats_.idempotency_keys.bump_shared();
    return Fresh{};
  }
  const Entry& e = it->second;
  if (e.body_hash != body_hash) return Conflict{};
  if (e.vshard_state & kOnItsWay) {
    s.waiters[key].push_back(std::move(waiter));
    return Attached{};
  }
  const int64_t accepted_hour = hour - age_in_hours(e.hour, hour);
  AcceptAnswer answer;
  answer.id = MessageId::make(accepted_hour * kHourMs, e.vshard_state & 0x3ff, key);
  answer.repeated = true;
  if (e.recipients != kUnknownRecipients) answer.recipients = e.recipients;
  answer.state = static_cast<DeliveryState>((e.vshard_state >> 10) & 0xf);
  return answer;
}

std::vector<Waiter> IdempotencyTable::answered(Hash128 key, const AcceptAnswer& answer) {
  Stripe& s = stripe(key);
  std::lock_guard lock(s.mutex);
  const auto it = s.entries.find(key);
  if (it != s.entries.end()) {
    Entry& e = it->second;
    if (answer.recipients) e.recipients = static_cast<uint32_t>(std::min<uint64_t>(*answer.recipients, ~0u - 1));
    e.vshard_state = pack(e.vshard_state, answer.state, false);
  }
  const auto waiting = s.waiters.find(key);
  if (waiting == s.waiters.end()) return {};
  std::vector<Waiter> out = std::move(waiting->second);
  s.waiters.erase(waiting);
  return out;
}

std::vector<Waiter> IdempotencyTable::forget(Hash128 key) {
  Stripe& s = stripe(key);
  std::lock_guard lock(s.mutex);
  if (s.entries.erase(key) > 0) stats_.idempotency_keys.drop_shared();
  const auto waiting = s.waiters.find(key);
  if (waiting == s.waiters.end()) return {};
  std::vector<Waiter> out = std::move(waiting->second);
  s.waiters.erase(waiting);
  return out;
}

void IdempotencyTable::restore(Hash128 key, uint64_t body_hash, const MessageId& id, WallMs accepted_ms, WallMs now) {
  if (now / kHourMs - accepted_ms / kHourMs > life_hours_) return;
  Stripe& s = stripe(key);
  std::lock_guard lock(s.mutex);
  const auto [it, fresh] = s.entries.insert_or_assign(
      key, Entry{body_hash, kUnknownRecipients, static_cast<uint16_t>(id.time_ms() / kHourMs),
                 pack(id.vshard(), DeliveryState::planned, false)});
  if (fresh) stats_.idempotency_keys.bump_shared();
}

// Once an hour for each stripe, and whenever it is full.
void IdempotencyTable::sweep(Stripe& s, int64_t hour) {
  if (s.swept_hour < hour) {
    erase_hours_before(s, hour - life_hours_, hour);
    s.swept_hour = hour;
  }
  if (s.entries.size() < max_keys_a_stripe_) return;
  int64_t oldest_age = 0;
  for (const auto& [key, e] : s.entries) oldest_age = std::max(oldest_age, age_in_hours(e.hour, hour));
  const size_t before = s.entries.size();
  erase_hours_before(s, hour - oldest_age + 1, hour);
  stats_.idempotency_forgotten.bump_shared(before - s.entries.size());
}

void IdempotencyTable::erase_hours_before(Stripe& s, int64_t hour, int64_t now_hour) {
  const size_t erased = boost::unordered::erase_if(s.entries, [&](const auto& item) {
    const Entry& e = item.second;
    return now_hour - age_in_hours(e.hour, now_hour) < hour && !(e.vshard_state & kOnItsWay);
  });
  stats_.idempotency_keys.drop_shared(erased);
}

size_t IdempotencyTable::size() const {
  size_t n = 0;
  for (const Stripe& s : stripes_) {
    std::lock_guard lock(s.mutex);
    n += s.entries.size();
  }
  return n;
}

}  // namespace godwit::intake
