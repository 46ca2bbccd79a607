// Journal: the ledger. A stream of batches of records, each batch durable as a whole or not at all.
//
// It takes away one problem: what was acknowledged is there after a crash. One writer thread calls open, append and
// trim (GroupCommit is that thread); `read` may be called from any thread at any time, also while the writer appends.
// A call that answers Fate::unknown has poisoned the journal: every later append answers `unknown` at once, and only a
// restart (which replays what really is on the disk) resolves it.
//
// Implementations: memory (tests, simulation, seeded faults) and SQLite segment files. Both pass journal_contract.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "broker/base/clock.hpp"
#include "broker/base/result.hpp"
#include "broker/storage/fate.hpp"
#include "broker/storage/record.hpp"

namespace godwit {

struct Opened {
  uint64_t epoch = 0;  // one more than the epoch of the last opener
  uint64_t head = 0;   // offset of the next batch; offsets count batches' records: gap-free and growing
};

struct Appended {
  Fate fate = Fate::failed;
  uint64_t offset = 0;  // of the batch's first record; RecordRef{offset, i} names record i
  std::string error;    // for people, when fate is not ok
};

struct SegmentInfo {
  uint64_t first_offset = 0;
  uint64_t end_offset = 0;  // one past the last; of the live segment: the head
  uint64_t bytes = 0;
  WallMs first_ms = 0, last_ms = 0;
  bool live = false;
  bool damaged = false;  // a batch in it failed its checksum and was quarantined
};

class Journal {
 public:
  virtual ~Journal() = default;

  virtual Result<Opened> open() = 0;

  // `records` is a concatenation of append_record() outputs, `count` of them, at least one; anything else is `failed`.
  // Blocks until durable.
  virtual Appended append(std::string_view records, uint32_t count, WallMs now) = 0;

  // Calls `sink` for each record from `from` on, in order, until it returns false or the head of this moment is
  // reached. A `from` that was trimmed begins with the oldest record there is; one beyond the head is Code::invalid.
  // Damaged batches are skipped and reported once in the log and in segments().
  using Sink = std::function<bool(RecordRef, const RecordView&)>;
  virtual Result<void> read(uint64_t from, const Sink& sink) = 0;

  // Drops whole segments that end at or before `before`. Never the live one.
  virtual Result<void> trim(uint64_t before) = 0;

  virtual std::vector<SegmentInfo> segments() const = 0;
};

}  // namespace godwit
