// Ledger: how the engine makes facts durable. It stands between the engine and GroupCommit so that tests and the
// simulator can run the real engine without a writer thread.
//
// Every completion runs exactly once, in submit order; with GroupCommit on the writer thread.
#pragma once

#include <string>

#include "broker/storage/group_commit.hpp"

namespace godwit {

class Ledger {
 public:
  virtual ~Ledger() = default;

  // Any thread. False when there is no room or the writer has stopped: then `done` was not and will not be called.
  [[nodiscard]] virtual bool submit(std::string records, uint32_t count, Committed done) = 0;
  // Any thread. For facts that nobody waits for; never refused for lack of room. `done` may be empty.
  virtual void submit_lazy(std::string records, uint32_t count, Committed done = {}) = 0;
  // Any thread. Runs `job` between two batches, after the completions of everything that was submitted before.
  virtual void run_on_writer(Callback<void(Journal&)> job) = 0;
  // True once a write ended in Fate::unknown: only a restart can tell what happened.
  virtual bool poisoned() const = 0;
  // Any thread. Of what was submitted and is not written yet.
  virtual uint64_t queued_bytes() const = 0;
};

class GroupCommitLedger final : public Ledger {
 public:
  // REQUIRES: `commits` outlives this object.
  explicit GroupCommitLedger(GroupCommit& commits) : commits_(commits) {}

  bool submit(std::string records, uint32_t count, Committed done) override {
    return commits_.submit(std::move(records), count, std::move(done));
  }
  void submit_lazy(std::string records, uint32_t count, Committed done) override {
    commits_.submit_lazy(std::move(records), count, std::move(done));
  }
  void run_on_writer(Callback<void(Journal&)> job) override { commits_.run_on_writer(std::move(job)); }
  bool poisoned() const override { return commits_.poisoned(); }
  uint64_t queued_bytes() const override { return commits_.queued_bytes(); }

 private:
  GroupCommit& commits_;
};

}  // namespace godwit
