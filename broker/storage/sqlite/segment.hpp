// One segment file of the journal: NNNNNNNN.db with the table `batch` (a row a batch) and the table `meta`.
//
// Life: created whole beside its place and renamed in; live while its one SegmentWriter appends to the write-ahead log;
// sealed when its meta says where it ends and a successor exists; retired when the log was copied into the file and the
// file stands alone (journal_mode=DELETE, no -wal, no -shm), which is how backups and readers like it best.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "broker/base/clock.hpp"
#include "broker/base/result.hpp"
#include "broker/storage/fate.hpp"
#include "broker/storage/sqlite/connection.hpp"

namespace godwit {

constexpr int64_t kSegmentFormat = 1;
constexpr int kSegmentPageBytes = 16384;

struct SegmentMeta {
  uint64_t stream = 0;
  uint64_t number = 0;
  uint64_t first = 0;           // offset of its first record
  uint64_t epoch = 0;           // of the last opener while it was live
  uint64_t oldest = 0;          // the lowest segment number that belongs to the journal: what is below was trimmed
  bool gap = false;             // what should be before it is lost, and that was accepted
  std::optional<uint64_t> end;  // one past its last record, once it is sealed
};

struct SegmentRow {
  uint64_t offset = 0;
  uint32_t count = 0;
  WallMs written_ms = 0;
  std::string_view data;  // the encoded batch; empty when the walk was asked to leave it out
};

std::filesystem::path segment_path(const std::filesystem::path& directory, uint64_t number);

// Durable, or not there at all.
Result<void> create_segment(const std::filesystem::path& path, const SegmentMeta& meta, const std::string& vfs);

// Code::invalid: it is damaged.
Result<SegmentMeta> read_segment_meta(SqliteConnection& connection);

// Code::invalid when the file is shorter than its own header says, or has none (SQLite would take an empty file for a
// new one and throw its log away). REQUIRES: nobody has it open.
Result<void> check_segment_length(const std::filesystem::path& path);

// Calls `row` for the rows with first <= offset < end, in order, until it answers false. What SQLite cannot read is
// stepped over and told to `damaged` (the first offset that was not readable); only a failure that is not damage is an
// Error.
enum class RowPart { whole, key_only };
Result<void> walk_segment(SqliteConnection& connection, uint64_t first, uint64_t end, RowPart part,
                          const std::function<bool(const SegmentRow&)>& row,
                          const std::function<void(uint64_t offset, const Error&)>& damaged);

// The one read-write connection of a live or sealed segment. One thread at a time; it moves from the journal's writer
// to the background thread when the segment is sealed.
class SegmentWriter {
 public:
  static Result<SegmentWriter> open(const std::filesystem::path& path, const std::string& vfs);

  struct Written {
    Fate fate;
    std::string error;
    bool is_damaged = false;  // nothing was written, because the file's structure makes no sense
  };
  // Inserts a batch and flushes it. `failed` leaves the segment usable; after `unknown` only abandon() makes sense.
  Written insert(const SegmentRow& row);

  Result<void> set_meta(const char* key, uint64_t value);  // durable

  // Copies the log into the file and makes the file stand alone. True: a reader is in the way, try again later.
  Result<bool> retire();

  // Copies the log and closes (a live segment at a clean stop). A failure leaves the log for the next start.
  Result<void> close();
  void abandon();

  SqliteConnection& connection() { return connection_; }

 private:
  SqliteConnection connection_;
  SqliteStatement insert_;
};

}  // namespace godwit
