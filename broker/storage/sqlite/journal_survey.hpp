// What a journal's directory holds, checked before anything is appended: names without a hole, one stream, epochs that
// grow, offsets that join, lengths, and every checksum of the segment that is still open.
//
// Damage inside a file is reported and stepped over. A file that is missing or cut short is an Error: the broker does
// not start with a hole in its ledger unless the operator says so, by a file named `accept-loss` beside the segments.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "broker/base/clock.hpp"
#include "broker/base/result.hpp"
#include "broker/storage/sqlite/segment.hpp"

namespace godwit {

struct SurveyedSegment {
  uint64_t number = 0;
  std::filesystem::path path;
  uint64_t first = 0, end = 0;
  uint64_t bytes = 0;
  WallMs first_ms = 0, last_ms = 0;
  bool structure_damaged = false;  // not only a batch: SQLite cannot read some of it
  bool log_was_repaired = false;
  std::set<uint64_t> damaged;           // offsets where damage was met
  std::optional<SegmentWriter> writer;  // the last segment's, and those of segments that still have a log
};

struct JournalSurvey {
  uint64_t stream = 0;
  uint64_t epoch = 0;   // the last one
  uint64_t oldest = 1;  // the lowest segment number that belongs here; what is below is to be removed
  uint64_t next_number = 1;
  uint64_t head = 0;
  std::vector<SurveyedSegment> segments;  // in order; empty for a new journal
  std::vector<std::filesystem::path> trimmed;
  bool last_is_usable = false;    // may be appended to; else a new segment begins at `head`
  bool gap_before_next = false;   // ... and offsets between the last segment and it are lost
  std::set<uint64_t> gap_before;  // segments whose meta must say from now on that what was before them is lost
};

// `now` is where offsets go on after an accepted loss: now << 20 is beyond every offset that was ever given.
Result<JournalSurvey> survey_journal(const std::filesystem::path& directory, const std::string& vfs, WallMs now);

// The file that says whose journal this is, and that there is one.
Result<void> write_stream_file(const std::filesystem::path& directory, uint64_t stream);

// Keeps the bytes of a batch that failed its check, for people. Answers where, or empty when it could not.
std::string quarantine_batch(const std::filesystem::path& directory, uint64_t segment, uint64_t offset,
                             std::string_view bytes);

// An Error when `row` is not the whole batch that its place says.
Result<void> check_batch(const SegmentRow& row, uint64_t stream);

}  // namespace godwit
