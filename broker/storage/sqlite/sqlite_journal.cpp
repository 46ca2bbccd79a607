#include "broker/storage/sqlite/sqlite_journal.hpp"

#include <spdlog/spdlog.h>

#include "broker/base/encoding.hpp"
#include "broker/storage/batch.hpp"
#include "broker/storage/files.hpp"

namespace godwit {

SqliteJournal::SqliteJournal(SqliteJournalOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

SqliteJournal::~SqliteJournal() {
  retirer_.stop();
  if (!live_) return;
  if (auto closed = live_->close(); !closed) {
    spdlog::warn("journal: the live segment keeps its log until the next start: {}", closed.error().message);
  }
}

Result<Opened> SqliteJournal::open() {
  if (live_ || poisoned_) return Error{Code::conflict, "is open already", options_.directory.string()};
  if (auto r = check_sqlite_library(); !r) return std::move(r).error();
  std::error_code failed;
  std::filesystem::create_directories(options_.directory, failed);
  if (failed) return Error{Code::io, "creating it: " + failed.message(), options_.directory.string()};
  auto survey = survey_journal(options_.directory, options_.vfs, clock_.wall_ms());
  if (!survey) return std::move(survey).error().with("opening the journal");
  if (auto r = adopt(std::move(*survey)); !r) return std::move(r).error().with("opening the journal");
  std::filesystem::remove(options_.directory / "accept-loss", failed);
  return Opened{epoch_, segments_.back().info.end_offset};
}

Result<void> SqliteJournal::adopt(JournalSurvey survey) {
  epoch_ = survey.epoch + 1;
  stream_ = survey.stream;
  if (stream_ == 0) {
    const std::string random = random_bytes(8);
    stream_ = ByteReader(random).u64() >> 1;  // SQL's integers have a sign
  }
  std::deque<Segment> found;
  for (SurveyedSegment& segment : survey.segments) {
    const bool is_live = survey.last_is_usable && &segment == &survey.segments.back();
    if (survey.gap_before.contains(segment.number)) {
      if (auto r = note_gap(segment); !r) return r;
    }
    found.push_back({segment.number,
                     segment.path,
                     {.first_offset = segment.first,
                      .end_offset = segment.end,
                      .bytes = segment.bytes,
                      .first_ms = segment.first_ms,
                      .last_ms = segment.last_ms,
                      .live = is_live,
                      .damaged = segment.structure_damaged || segment.log_was_repaired || !segment.damaged.empty()},
                     std::move(segment.damaged)});
    if (is_live) {
      live_ = std::move(*segment.writer);
    } else if (segment.writer) {
      retirer_.retire(std::move(*segment.writer), segment.path);
    }
  }
  {
    std::lock_guard lock(mutex_);
    segments_ = std::move(found);
  }
  for (std::filesystem::path& path : survey.trimmed) retirer_.remove(std::move(path));
  oldest_noted_ = survey.oldest;
  roll_at_bytes_ = options_.segment_bytes;
  if (live_) {
    if (auto r = live_->set_meta("epoch", epoch_); !r) return r;
  } else {
    const uint64_t oldest = survey.segments.empty() ? survey.next_number : survey.segments.front().number;
    const SegmentMeta meta{
        .number = survey.next_number, .first = survey.head, .oldest = oldest, .gap = survey.gap_before_next, .end = {}};
    if (auto r = start_segment(meta); !r) return r;
  }
  return write_stream_file(options_.directory, stream_);  // after the segment: the file says that there is one
}

Result<void> SqliteJournal::note_gap(SurveyedSegment& segment) {
  if (!segment.writer) {
    auto writer = SegmentWriter::open(segment.path, options_.vfs);
    if (!writer) return std::move(writer).error();
    segment.writer = std::move(*writer);
  }
  return segment.writer->set_meta("gap", 1);
}

// Creates the segment and makes it the live one.
Result<void> SqliteJournal::start_segment(SegmentMeta meta) {
  const std::filesystem::path path = path_of(meta.number);
  meta.stream = stream_;
  meta.epoch = epoch_;
  if (auto r = create_segment(path, meta, options_.vfs); !r) return r;
  auto writer = SegmentWriter::open(path, options_.vfs);
  if (!writer) {
    // Two segments that begin at one offset would not open again.
    std::error_code failed;
    std::filesystem::remove(path, failed);
    if (failed) poison("cannot remove " + path.string() + " that could not be opened: " + failed.message());
    return std::move(writer).error();
  }
  live_ = std::move(*writer);
  roll_at_bytes_ = options_.segment_bytes;
  oldest_noted_ = meta.oldest;
  std::lock_guard lock(mutex_);
  if (!segments_.empty()) segments_.back().info.live = false;
  segments_.push_back({meta.number, path, {.first_offset = meta.first, .end_offset = meta.first, .live = true}, {}});
  return {};
}

Appended SqliteJournal::append(std::string_view records, uint32_t count, WallMs now) {
  if (poisoned_) return {Fate::unknown, 0, "an earlier append had an unknown fate; only a restart tells"};
  if (!live_) return {Fate::failed, 0, "the journal is not open"};
  if (count == 0 || records.size() > kMaxBatchBytes || count_records(records) != count) {
    return {Fate::failed, 0, "these are not `count` whole records of at most 256 MiB"};
  }
  if (segments_.back().info.bytes >= roll_at_bytes_) roll_over();  // unlocked: only this thread changes the list
  if (poisoned_) return {Fate::failed, 0, "the journal could not begin a new segment and is poisoned"};

  const uint64_t offset = segments_.back().info.end_offset;
  encode_batch(buffer_, {stream_, epoch_, offset, count, now}, records);
  SegmentWriter::Written written = live_->insert({offset, count, now, buffer_});
  if (written.is_damaged) {  // the live file, not this batch, is at fault: leave it behind
    report_damage(segments_.back().number, offset, {}, Error{Code::invalid, written.error, {}});
    const uint64_t damaged = segments_.back().number;
    roll_over();
    if (live_ && segments_.back().number != damaged) written = live_->insert({offset, count, now, buffer_});
  }
  if (written.fate == Fate::unknown) poison(written.error);
  if (written.fate != Fate::ok) return {written.fate, 0, std::move(written.error)};

  std::lock_guard lock(mutex_);
  SegmentInfo& info = segments_.back().info;
  info.end_offset += count;
  info.bytes += buffer_.size();
  if (info.first_ms == 0) info.first_ms = now;
  info.last_ms = now;
  return {Fate::ok, offset, {}};
}

// The successor first, then the seal: a crash between leaves an unsealed segment with a successor, which tells the
// same. The other way round it would look as if somebody had deleted the newest segment.
void SqliteJournal::roll_over() {
  const uint64_t number = segments_.back().number;
  const uint64_t head = segments_.back().info.end_offset;
  const uint64_t bytes = segments_.back().info.bytes;
  SegmentWriter old = std::move(*live_);
  if (auto r = start_segment({.number = number + 1, .first = head, .oldest = segments_.front().number, .end = {}});
      !r) {
    live_ = std::move(old);
    // Not a reason to refuse work: the old segment grows a little more, then we try again.
    roll_at_bytes_ = bytes + options_.segment_bytes / 8;
    spdlog::error("journal: cannot begin segment {}: {}; going on in {}", number + 1, r.error().message,
                  path_of(number).string());
    return;
  }
  // Neither a full disk nor a damaged file keeps us: the successor says where this one ends.
  if (auto r = old.set_meta("end", head); !r && r.error().code != Code::no_space && r.error().code != Code::invalid) {
    old.abandon();
    return poison(r.error().message);
  }
  retirer_.retire(std::move(old), path_of(number));
}

void SqliteJournal::poison(const std::string& why) {
  spdlog::critical("journal: poisoned, nothing more is written: {}", why);
  poisoned_ = true;
  if (live_) live_->abandon();
  live_.reset();
}

Result<void> SqliteJournal::read(uint64_t from, const Sink& sink) {
  std::deque<Segment> wanted;
  {
    std::lock_guard lock(mutex_);
    if (segments_.empty()) return Error{Code::unavailable, "the journal is not open", options_.directory.string()};
    const uint64_t head = segments_.back().info.end_offset;
    if (from > head) {
      return Error{Code::invalid, "the journal ends at " + std::to_string(head), "offset " + std::to_string(from)};
    }
    for (const Segment& segment : segments_) {
      if (segment.info.end_offset > from) wanted.push_back(segment);
    }
  }
  for (const Segment& segment : wanted) {
    auto go_on = read_segment(segment, from, segment.info.end_offset, sink);
    if (!go_on) {
      if (!still_has(segment.number)) continue;  // trimmed under our hands
      return std::move(go_on).error();
    }
    if (!*go_on) return {};
  }
  return {};
}

// Answers false when the sink had enough.
Result<bool> SqliteJournal::read_segment(const Segment& segment, uint64_t from, uint64_t end, const Sink& sink) {
  auto connection = SqliteConnection::open(segment.path, SqliteConnection::Mode::read_only, options_.vfs);
  if (!connection) return std::move(connection).error();
  uint64_t first = segment.info.first_offset;
  if (from > first) {  // the batch that holds `from` may begin before it
    auto before = connection->query_integer(
        ("select off from batch where off <= " + std::to_string(from) + " order by off desc limit 1").c_str());
    if (before && *before) first = static_cast<uint64_t>(**before);
  }
  bool go_on = true;
  const auto row = [&](const SegmentRow& found) {
    if (auto good = check_batch(found, stream_); !good) {
      report_damage(segment.number, found.offset, found.data, good.error());
      return true;
    }
    RecordReader reader(std::string_view(found.data).substr(kBatchHeaderBytes));
    for (uint32_t i = 0; const auto record = reader.next(); ++i) {
      if (found.offset + i < from) continue;
      if (!sink({found.offset, i}, *record)) return go_on = false;
    }
    return true;
  };
  const auto damaged = [&](uint64_t offset, const Error& error) {
    if (still_has(segment.number)) report_damage(segment.number, offset, {}, error);
  };
  if (auto r = walk_segment(*connection, first, end, RowPart::whole, row, damaged); !r) return std::move(r).error();
  return go_on;
}

void SqliteJournal::report_damage(uint64_t number, uint64_t offset, std::string_view bytes, const Error& error) {
  {
    std::lock_guard lock(mutex_);
    for (Segment& segment : segments_) {
      if (segment.number != number) continue;
      segment.info.damaged = true;
      if (!segment.damaged.insert(offset).second) return;  // said before
    }
  }
  const std::string kept =
      bytes.empty() ? "" : "; kept as " + quarantine_batch(options_.directory, number, offset, bytes);
  spdlog::error("journal: {} is damaged at offset {}: {}{}", path_of(number).string(), offset, error.message, kept);
}

bool SqliteJournal::still_has(uint64_t number) const {
  std::lock_guard lock(mutex_);
  return !segments_.empty() && segments_.front().number <= number;
}

Result<void> SqliteJournal::trim(uint64_t before) {
  if (poisoned_) return Error{Code::unknown, "the journal is poisoned", options_.directory.string()};
  if (!live_) return Error{Code::unavailable, "the journal is not open", options_.directory.string()};
  uint64_t oldest = segments_.front().number;  // unlocked: only this thread changes the list
  for (const Segment& segment : segments_) {
    if (segment.info.live || segment.info.end_offset > before) break;
    oldest = segment.number + 1;
  }
  if (oldest == oldest_noted_) return {};
  // The note comes before the removal, or a start in between would miss a segment. On a full disk the removal is the
  // cure and goes first; the next trim notes it.
  if (auto r = live_->set_meta("oldest", oldest); r) {
    oldest_noted_ = oldest;
  } else if (r.error().code != Code::no_space) {
    poison(r.error().message);
    return Error{Code::unknown, r.error().message, r.error().where};
  }
  std::deque<Segment> dropped;
  {
    std::lock_guard lock(mutex_);
    while (segments_.front().number < oldest) {
      dropped.push_back(std::move(segments_.front()));
      segments_.pop_front();
    }
  }
  for (Segment& segment : dropped) retirer_.remove(std::move(segment.path));
  return {};
}

std::filesystem::path SqliteJournal::path_of(uint64_t number) const {
  return segment_path(options_.directory, number);
}

std::vector<SegmentInfo> SqliteJournal::segments() const {
  std::lock_guard lock(mutex_);
  std::vector<SegmentInfo> out;
  for (const Segment& segment : segments_) out.push_back(segment.info);
  return out;
}

}  // namespace godwit
