// MemoryJournal: the journal of tests and of the simulation. It keeps encoded batches in memory and can be told, or
// left to a seed, to fail: an append that surely failed, one whose answer is lost, one that is lost with its answer.
//
// It plays the disk and the process: open() on the same object is a restart. It clears the poison, takes the next epoch
// and finds what "really" was durable. Threads as in Journal; the fault controls are safe from any thread.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/random.hpp"
#include "broker/storage/journal.hpp"

namespace godwit {

enum class AppendFault : uint8_t {
  failed,        // nothing is written, Fate::failed (a full disk)
  unknown_lost,  // nothing is written, Fate::unknown
  unknown_kept,  // written, Fate::unknown: a restart finds it
};

// How often an append suffers each fault, of 1.0.
struct AppendFaultRates {
  double failed = 0, unknown_lost = 0, unknown_kept = 0;
};

class MemoryJournal final : public Journal {
 public:
  explicit MemoryJournal(uint64_t segment_bytes = 128u << 20) : segment_bytes_(segment_bytes) {}

  Result<Opened> open() override;
  Appended append(std::string_view records, uint32_t count, WallMs now) override;
  Result<void> read(uint64_t from, const Sink& sink) override;
  Result<void> trim(uint64_t before) override;
  std::vector<SegmentInfo> segments() const override;

  // The next append suffers `fault`. Several calls queue up.
  void fail_next_append(AppendFault fault);

  // From now on appends suffer faults at random, the same ones for the same seed.
  void fail_by_seed(uint64_t seed, AppendFaultRates rates);

  // Flips one bit in the batch that begins at `offset`; the next read finds it.
  void damage(uint64_t offset);

 private:
  struct StoredBatch {
    uint64_t offset = 0;
    uint32_t count = 0;
    WallMs written_ms = 0;
    std::shared_ptr<std::string> bytes;  // shared with readers that are in the middle of it when it is trimmed
  };
  struct Segment {
    uint64_t first_offset = 0;
    uint64_t bytes = 0;
    bool damaged = false;
    std::deque<StoredBatch> batches;
  };

  std::optional<AppendFault> next_fault();
  std::optional<StoredBatch> batch_at_or_after(uint64_t offset) const;
  void note_damage(uint64_t offset);

  const uint64_t segment_bytes_;
  mutable std::mutex mutex_;  // guards everything below
  std::deque<Segment> segments_{Segment{}};
  uint64_t epoch_ = 0, head_ = 0;
  bool is_open_ = false, poisoned_ = false;
  std::deque<AppendFault> planned_;
  std::optional<Random> random_;
  AppendFaultRates rates_;
};

}  // namespace godwit
