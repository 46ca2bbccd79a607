// SqliteJournal: the journal on this machine's disk, as segment files in <data directory>/journal/.
//
//   00000001.db …        one SQLite file a segment, a row a batch; the newest is live and has a -wal beside it
//   stream               whose journal this is; its presence says that segments must be there
//   quarantine/          damaged batches and logs, kept for people
//   accept-loss          made by an operator: start although a segment is missing; removed when it was used
//
// The files are created, opened and moved by this class alone; a data directory is locked by DataDir. Threads as in
// Journal. A full disk fails the append and nothing else. Any other error of a commit poisons the journal: it touches
// its files no more.
#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "broker/storage/journal.hpp"
#include "broker/storage/sqlite/journal_survey.hpp"
#include "broker/storage/sqlite/segment.hpp"
#include "broker/storage/sqlite/segment_retirer.hpp"

namespace godwit {

struct SqliteJournalOptions {
  std::filesystem::path directory;  // <data directory>/journal; created when missing
  uint64_t segment_bytes =
      128ull << 20;  // a segment that has this much gets a successor; larger: fewer files, later trims
  std::string vfs;   // another file layer, for tests
};

class SqliteJournal final : public Journal {
 public:
  // `clock` outlives this object.
  SqliteJournal(SqliteJournalOptions options, const Clock& clock);
  ~SqliteJournal() override;  // copies the live log into its file, so that a clean stop leaves plain files

  Result<Opened> open() override;
  Appended append(std::string_view records, uint32_t count, WallMs now) override;
  Result<void> read(uint64_t from, const Sink& sink) override;
  Result<void> trim(uint64_t before) override;
  std::vector<SegmentInfo> segments() const override;

  // Waits for the background work on sealed segments. A tool's and a test's wish; nothing needs it.
  void wait_until_retired() { retirer_.wait_idle(); }

 private:
  struct Segment {
    uint64_t number = 0;
    std::filesystem::path path;
    SegmentInfo info;
    std::set<uint64_t> damaged;  // offsets that were reported already
  };

  Result<void> adopt(JournalSurvey survey);
  Result<void> note_gap(SurveyedSegment& segment);
  Result<void> start_segment(SegmentMeta meta);  // fills in the stream and the epoch
  void roll_over();
  void poison(const std::string& why);
  std::filesystem::path path_of(uint64_t number) const;
  Result<bool> read_segment(const Segment& segment, uint64_t from, uint64_t end, const Sink& sink);
  void report_damage(uint64_t number, uint64_t offset, std::string_view bytes, const Error& error);
  bool still_has(uint64_t number) const;

  const SqliteJournalOptions options_;
  const Clock& clock_;

  // The writer's own.
  std::optional<SegmentWriter> live_;
  std::string buffer_;
  uint64_t stream_ = 0, epoch_ = 0;
  uint64_t roll_at_bytes_ = 0;
  uint64_t oldest_noted_ = 0;  // what the live segment's meta says
  bool poisoned_ = false;

  mutable std::mutex mutex_;  // guards the list; never held during I/O
  std::deque<Segment> segments_;

  SegmentRetirer retirer_;  // last: its thread ends before what it could touch
};

}  // namespace godwit
