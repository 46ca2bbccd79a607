// Looks at a segment's write-ahead log before SQLite does, and saves what SQLite would silently drop.
//
// SQLite ends recovery at the first frame whose checksum is wrong: right for a torn last commit, which nobody was told
// of, but one flipped bit in the middle would take every acknowledged batch after it along without a word. In a segment
// each commit is flushed before the next one begins and the log is never reused, so a good frame behind a later commit
// proves that the bad one was durable once. Then the log is signed anew, bad frames included: the batches that they
// belong to fail their CRC or cannot be read, and everything else is served.
//
// What cannot be told from a torn commit, and is dropped with a warning: damage in the very last transaction.
#pragma once

#include <cstdint>
#include <filesystem>

#include "broker/base/result.hpp"

namespace godwit {

struct WalFinding {
  uint64_t frames = 0;       // whole frames in the file
  uint64_t bad_frames = 0;   // whose checksum is wrong though they were durable; 0: the file was not touched
  uint64_t torn_frames = 0;  // at the end, of a commit that did not finish
};

// `log` is the -wal file; a missing or empty one is well. The original is kept as `quarantine`/<name> when it is
// rewritten. REQUIRES: nobody has the database open.
Result<WalFinding> repair_wal(const std::filesystem::path& log, const std::filesystem::path& quarantine);

}  // namespace godwit
