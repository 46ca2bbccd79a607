// IdempotencyTable answers a repeated request with the first one's answer.
//
// A key lives for 24 hours in hourly generations: each entry carries its hour, and a whole hour is swept out at once
// when it is over, a stripe at a time. The table is bounded: beyond `max_keys` the oldest hour goes early (counted,
// because a repeat of such a key is sent again).
//
// Any thread; striped locks, held for one look-up. A request that finds its key still on the way to the journal is
// attached to the first one and gets its answer, whatever it will be.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <mutex>
#include <variant>
#include <vector>

#include "broker/base/callback.hpp"
#include "broker/base/result.hpp"
#include "broker/intake/limits.hpp"
#include "broker/message/draft.hpp"

namespace godwit::intake {

using Waiter = Callback<void(const Result<AcceptAnswer>&)>;

class IdempotencyTable {
 public:
  // `life_ms` is rounded up to whole hours.
  IdempotencyTable(int64_t life_ms, uint64_t max_keys, IntakeStats& stats);

  struct Fresh {};     // never seen: it is ours now, and ends in answered() or forget()
  struct Attached {};  // the first one is still on its way: `waiter` will be called
  struct Conflict {};  // the same key came with another body
  using Claim = std::variant<Fresh, Attached, Conflict, AcceptAnswer>;

  // `vshard` and `now` make the id of a fresh key (see derived_id); `waiter` is moved from only for Attached.
  Claim claim(Hash128 key, uint64_t body_hash, uint32_t vshard, WallMs now, Waiter& waiter);

  // The first request's answer is known; hands out those who wait for it, to be called without any lock held.
  std::vector<Waiter> answered(Hash128 key, const AcceptAnswer& answer);
  // The first request was not stored: the key is free again.
  std::vector<Waiter> forget(Hash128 key);

  // From the journal, at recovery.
  void restore(Hash128 key, uint64_t body_hash, const MessageId& id, WallMs accepted_ms, WallMs now);

  size_t size() const;

 private:
  // 32 bytes with its key. The id is not stored: it follows from the hour, the shard and the key.
  struct Entry {
    uint64_t body_hash;
    uint32_t recipients;    // kUnknownRecipients
    uint16_t hour;          // since 1970, modulo 2^16
    uint16_t vshard_state;  // 10 bits of virtual shard, 4 of DeliveryState, 1 "still on its way"
  };
  struct KeyHash {
    using is_avalanching = void;
    size_t operator()(const Hash128& h) const { return h.low; }
  };
  struct Stripe {
    mutable std::mutex mutex;  // guards the rest
    boost::unordered_flat_map<Hash128, Entry, KeyHash> entries;
    boost::unordered_flat_map<Hash128, std::vector<Waiter>, KeyHash> waiters;
    int64_t swept_hour = 0;
  };
  static constexpr size_t kStripes = 64;

  Stripe& stripe(const Hash128& key) { return stripes_[key.high % kStripes]; }
  void sweep(Stripe& stripe, int64_t hour);  // REQUIRES: its lock is held
  void erase_hours_before(Stripe& stripe, int64_t hour, int64_t now_hour);

  const int64_t life_hours_;
  const uint64_t max_keys_a_stripe_;
  IntakeStats& stats_;
  std::array<Stripe, kStripes> stripes_;
};

// The id of a message with an idempotency key: its time is the start of the hour in which it was accepted, its entropy
// is the key. So a repeat that the table has lost within the hour still gets the same id.
MessageId derived_id(Hash128 key, uint32_t vshard, WallMs now);

}  // namespace godwit::intake
