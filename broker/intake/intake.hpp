// Intake takes drafts from any thread to the journal: checks them, refuses what there is no room for, recognises
// repeats, names and stamps the rest, and makes all of a call durable in one step.
//
// It keeps nothing but the idempotency table. A call's drafts travel as one AcceptBatch; when they are durable (or
// known not to be) the batch is handed to `deliver` once, from the writer's or the caller's thread, and the engine's
// thread finishes it there. Nothing is answered on the caller's thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "broker/base/clock.hpp"
#include "broker/intake/idempotency.hpp"
#include "broker/intake/limits.hpp"
#include "broker/message/draft.hpp"
#include "broker/storage/data_dir.hpp"
#include "broker/storage/ledger.hpp"

namespace godwit::intake {

// The drafts of one call on their way. `resolve` may be called for each answer once, from any thread; the call's `done`
// runs when all are resolved and the engine has let go of the batch.
class AcceptBatch {
 public:
  using Done = Callback<void(std::vector<Result<AcceptAnswer>>)>;
  AcceptBatch(size_t size, Done done)
      : answers_(size, AcceptAnswer{}), open_(static_cast<uint32_t>(size) + 1), done_(std::move(done)) {}

  void resolve(size_t index, Result<AcceptAnswer> answer) {
    answers_[index] = std::move(answer);
    release();
  }
  // Engine's thread, once, when it has seen the batch.
  void release() {
    if (open_.fetch_sub(1, std::memory_order_acq_rel) == 1) done_(std::move(answers_));
  }

  // A draft that is new. `position` is its place in the journal.
  struct Fresh {
    std::shared_ptr<Message> message;
    uint64_t position = 0;
    uint32_t index = 0;  // of its answer
  };
  std::vector<Fresh> fresh;
  Fate fate = Fate::ok;  // of the fresh ones
  bool refused = false;  // the journal's queue had no room: nothing was written

 private:
  std::vector<Result<AcceptAnswer>> answers_;
  std::atomic<uint32_t> open_;
  Done done_;
};
using BatchPtr = std::shared_ptr<AcceptBatch>;

class Intake {
 public:
  using Deliver = std::function<void(BatchPtr)>;
  Intake(const IntakeLimits& limits, const Clock& clock, Ledger& ledger, IntakeStats& stats, Deliver deliver);

  // Any thread.
  void accept(std::vector<MessageDraft> drafts, AcceptBatch::Done done);
  void close() { closed_ = true; }  // from now on every draft is Code::unavailable
  // How much room the disk has: below each level drafts of lower priority are Code::no_space.
  void set_space(SpaceLevel level) { space_ = level; }

  // The error that a batch's fresh drafts get when its fate is not ok.
  static Error error_of(const AcceptBatch& batch);

  IdempotencyTable& keys() { return keys_; }

 private:
  std::optional<Error> check(const Message& message, WallMs now) const;
  bool has_room(const Message& message) const;
  bool has_space(const Message& message) const;
  MessageId random_id(uint32_t vshard, WallMs now);

  const IntakeLimits& limits_;
  const Clock& clock_;
  Ledger& ledger_;
  IntakeStats& stats_;
  Deliver deliver_;
  IdempotencyTable keys_;
  const uint64_t id_seed_;
  std::atomic<uint64_t> id_counter_{0};
  std::atomic<bool> closed_{false};
  std::atomic<SpaceLevel> space_{SpaceLevel::plenty};
};

// What a message holds in memory, roughly.
uint64_t footprint(const Message& message);

}  // namespace godwit::intake
