#include "broker/storage/sqlite/journal_survey.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "broker/base/encoding.hpp"
#include "broker/storage/batch.hpp"
#include "broker/storage/files.hpp"
#include "broker/storage/sqlite/wal_repair.hpp"

namespace godwit {
namespace {

constexpr std::string_view kStreamFile = "stream";
constexpr std::string_view kAcceptLoss = "accept-loss";
constexpr std::string_view kStreamTitle = "godwit-journal 1 ";
constexpr int kOffsetShift = 20;          // 2^20 records a millisecond are more than any broker writes
constexpr uint64_t kEpochJump = 1 << 20;  // more restarts than a lost segment can have seen

std::string remedy(const std::filesystem::path& directory) {
  return "; restore the files from a backup, or create the file " + (directory / kAcceptLoss).string() +
         " to start without what is lost";
}

class Surveyor {
 public:
  Surveyor(const std::filesystem::path& directory, const std::string& vfs, WallMs now)
      : directory_(directory),
        vfs_(vfs),
        fresh_offset_(static_cast<uint64_t>(now) << kOffsetShift),
        accept_loss_(std::filesystem::exists(directory / kAcceptLoss)) {}

  Result<JournalSurvey> run() {
    if (auto r = list(); !r) return std::move(r).error();
    if (auto r = read_stream_file(); !r) return std::move(r).error();
    if (numbers_.empty()) return no_segments();
    for (const uint64_t number : numbers_) {
      if (auto r = look(number, number == numbers_.back()); !r) return std::move(r).error();
    }
    drop_trimmed();
    if (auto r = join(); !r) return std::move(r).error();
    if (auto r = finish_last(); !r) return std::move(r).error();
    return std::move(out_);
  }

 private:
  // A loss ends the start, or is only reported when the operator accepted it.
  Result<void> lost(const std::string& what, const std::filesystem::path& where) {
    if (!accept_loss_) return Error{Code::invalid, what + remedy(directory_), where.string()};
    spdlog::error("journal: {}: {}; accepted by {}", where.string(), what, kAcceptLoss);
    return {};
  }

  // The same for what should be before segment `number`; accepted once, it stays accepted.
  Result<void> gap(uint64_t number, const std::string& what, const std::filesystem::path& where) {
    if (const auto meta = metas_.find(number); meta != metas_.end() && meta->second.gap) return {};
    out_.gap_before.insert(number);
    return lost(what, where);
  }

  Result<void> list() {
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(directory_, failed)) {
      const std::string name = entry.path().filename().string();
      if (name.find(".db.new") != std::string::npos) {  // a creation that did not finish
        std::filesystem::remove(entry.path(), failed);
        continue;
      }
      uint64_t number = 0;
      const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
      if (error == std::errc() && std::string_view(end) == ".db" && end - name.data() >= 8) numbers_.push_back(number);
    }
    if (failed) return Error{Code::io, "listing it: " + failed.message(), directory_.string()};
    std::sort(numbers_.begin(), numbers_.end());
    return {};
  }

  Result<void> read_stream_file() {
    const std::filesystem::path path = directory_ / kStreamFile;
    auto text = read_file(path, 100);
    if (!text) {
      if (text.error().code == Code::not_found) return {};
      return std::move(text).error();
    }
    const auto digits = text->starts_with(kStreamTitle)
                            ? from_hex(std::string_view(*text).substr(kStreamTitle.size(), 16))
                            : std::nullopt;
    if (!digits || digits->size() != 8) {
      return Error{Code::invalid, "is not a journal's stream file; remove it if the segments are right", path.string()};
    }
    ByteReader reader(*digits);
    out_.stream = reader.u64();
    has_stream_file_ = true;
    return {};
  }

  Result<JournalSurvey> no_segments() {
    if (has_stream_file_) {
      if (auto r = lost("all journal segments are missing", directory_); !r) return std::move(r).error();
      out_.head = fresh_offset_;
      out_.epoch = kEpochJump;
    }
    return std::move(out_);
  }

  Result<void> move_to_quarantine(const std::filesystem::path& path) {
    const std::filesystem::path folder = directory_ / "quarantine";
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    for (const char* suffix : {"", "-wal", "-shm"}) {
      const std::filesystem::path from = path.string() + suffix;
      if (!std::filesystem::exists(from, failed)) continue;
      std::filesystem::rename(from, folder / from.filename(), failed);
      if (failed) return Error{Code::io, "moving it to quarantine: " + failed.message(), from.string()};
    }
    return {};
  }

  // Opens one segment and reads what it says of itself.
  Result<void> look(uint64_t number, bool is_last) {
    SurveyedSegment segment{.number = number, .path = segment_path(directory_, number), .damaged = {}, .writer = {}};
    if (auto r = check_segment_length(segment.path); !r) {
      if (r.error().code != Code::invalid) return r;
      if (auto accepted = lost(r.error().message, segment.path); !accepted) return accepted;
      return move_to_quarantine(segment.path);
    }
    auto meta = open_and_read_meta(segment, is_last);
    if (meta) {
      if (meta->number != number) {
        return Error{Code::invalid,
                     "says that it is segment " + std::to_string(meta->number) + ": give it its name back",
                     segment.path.string()};
      }
      if (!out_.segments.empty() || has_stream_file_) {
        if (meta->stream != out_.stream) {
          return Error{Code::invalid, "belongs to another journal: move it away", segment.path.string()};
        }
      }
      out_.stream = meta->stream;
      if (meta->epoch < out_.epoch) {
        return Error{Code::invalid, "its epoch is lower than that of the segment before it: it is from an older copy",
                     segment.path.string()};
      }
      out_.epoch = meta->epoch;
      segment.first = meta->first;
      out_.oldest = std::max(out_.oldest, meta->oldest);
      metas_[number] = *meta;
    } else if (meta.error().code == Code::invalid) {
      spdlog::error("journal: {} is damaged: {}", segment.path.string(), meta.error().message);
      segment.structure_damaged = true;
      segment.writer.reset();
    } else {
      return std::move(meta).error();
    }
    out_.segments.push_back(std::move(segment));
    return {};
  }

  Result<SegmentMeta> open_and_read_meta(SurveyedSegment& segment, bool is_last) {
    const std::filesystem::path log = segment.path.string() + "-wal";
    std::error_code failed;
    const bool has_log = std::filesystem::exists(log, failed);
    // A retirement that was cut off left a rollback journal, which a read-only connection may not roll back.
    const bool is_half_retired = std::filesystem::exists(segment.path.string() + "-journal", failed);
    if (has_log) {
      auto finding = repair_wal(log, directory_ / "quarantine");
      if (!finding) return std::move(finding).error();
      if (finding->bad_frames > 0) {
        spdlog::error("journal: {} had {} damaged pages of {}; it was repaired, the original is in {}", log.string(),
                      finding->bad_frames, finding->frames, (directory_ / "quarantine").string());
        segment.log_was_repaired = true;
      }
      if (finding->torn_frames > 0) {
        spdlog::warn("journal: {} ended with a commit that was not finished; nobody was told that it is durable",
                     log.string());
      }
    }
    if (has_log || is_half_retired || is_last) {
      auto writer = SegmentWriter::open(segment.path, vfs_);
      if (!writer) return std::move(writer).error();
      segment.writer = std::move(*writer);
      auto meta = read_segment_meta(segment.writer->connection());
      if (!meta || !is_last) return meta;
      // From here on the log is empty, so that what it holds at the next start was written in order by one process.
      if (auto busy = segment.writer->connection().checkpoint(SQLITE_CHECKPOINT_TRUNCATE); !busy) {
        return std::move(busy).error();
      }
      return meta;
    }
    auto connection = SqliteConnection::open(segment.path, SqliteConnection::Mode::read_only, vfs_);
    if (!connection) return std::move(connection).error();
    return read_segment_meta(*connection);
  }

  // What is below `oldest` was trimmed, only the removal did not finish.
  void drop_trimmed() {
    while (!out_.segments.empty() && out_.segments.front().number < out_.oldest) {
      if (out_.segments.front().writer) out_.segments.front().writer->abandon();
      out_.trimmed.push_back(out_.segments.front().path);
      out_.segments.erase(out_.segments.begin());
    }
  }

  // Every segment begins where the one before it ends.
  Result<void> join() {
    uint64_t expected_number = out_.oldest;
    for (size_t i = 0; i < out_.segments.size(); ++i, ++expected_number) {
      SurveyedSegment& segment = out_.segments[i];
      const bool is_last = i + 1 == out_.segments.size();
      if (segment.number != expected_number) {
        const auto missing = segment_path(directory_, expected_number);
        if (auto r = gap(segment.number, "this journal segment is missing", missing); !r) return r;
        expected_number = segment.number;
      }
      if (!metas_.contains(segment.number)) segment.first = i > 0 ? out_.segments[i - 1].end : 0;
      if (auto r = walk(segment, is_last); !r) return r;
      if (is_last || !metas_.contains(out_.segments[i + 1].number)) continue;
      const SurveyedSegment& next = out_.segments[i + 1];
      if (segment.end > next.first) {
        return Error{Code::invalid, "holds offsets that the next segment holds too: files of two journals are mixed",
                     segment.path.string()};
      }
      if (next.number != segment.number + 1) continue;  // the hole is judged with the next one
      if (segment.end < next.first && segment.log_was_repaired) {
        out_.gap_before.insert(next.number);
      } else if (segment.end < next.first && !segment.structure_damaged) {
        const std::string what = "it ends at offset " + std::to_string(segment.end) + ", the next segment begins at " +
                                 std::to_string(next.first) + ": its -wal file is missing";
        if (auto r = gap(next.number, what, segment.path); !r) return r;
      }
      if (!metas_[next.number].gap) segment.end = next.first;
    }
    return {};
  }

  // Follows the offsets; the last segment's batches are read and checked as well, the others when somebody reads them.
  Result<void> walk(SurveyedSegment& segment, bool is_last) {
    SqliteConnection own;
    if (!segment.writer) {
      auto opened = SqliteConnection::open(segment.path, SqliteConnection::Mode::read_only, vfs_);
      if (!opened) return std::move(opened).error();
      own = std::move(*opened);
    }
    SqliteConnection& connection = segment.writer ? segment.writer->connection() : own;
    const uint64_t epoch = metas_.contains(segment.number) ? metas_[segment.number].epoch : out_.epoch;
    segment.end = segment.first;
    Result<void> mixed;
    const auto row = [&](const SegmentRow& found) {
      if (found.offset < segment.end || found.count == 0)
        return true;  // a damaged key; the batch is judged when it is read
      if (found.offset > segment.end) {
        spdlog::error("journal: {} lacks the offsets {} to {}", segment.path.string(), segment.end, found.offset);
        segment.damaged.insert(segment.end);
      }
      if (segment.first_ms == 0) segment.first_ms = found.written_ms;
      segment.last_ms = found.written_ms;
      segment.end = found.offset + found.count;
      if (!is_last) return true;
      segment.bytes += found.data.size();
      if (auto good = check_batch(found, out_.stream); !good) {
        segment.damaged.insert(found.offset);
        spdlog::error("journal: {}: the batch at {} is damaged: {}; kept as {}", segment.path.string(), found.offset,
                      good.error().message, quarantine_batch(directory_, segment.number, found.offset, found.data));
      } else if (decode_batch(found.data)->header.epoch > epoch) {
        mixed = Error{Code::invalid, "holds a batch of a later epoch than its own: files of two journals are mixed",
                      segment.path.string()};
        return false;
      }
      return true;
    };
    const auto damaged = [&](uint64_t offset, const Error& error) {
      spdlog::error("journal: {} cannot be read from {}: {}", segment.path.string(), offset, error.message);
      segment.structure_damaged = true;
      segment.damaged.insert(offset);
    };
    constexpr uint64_t kNoEnd = INT64_MAX;
    auto walked =
        walk_segment(connection, segment.first, kNoEnd, is_last ? RowPart::whole : RowPart::key_only, row, damaged);
    if (!walked) return walked;
    if (!is_last) {
      std::error_code failed;
      segment.bytes = std::filesystem::file_size(segment.path, failed);
    }
    return mixed;
  }

  // Where the next batch goes.
  Result<void> finish_last() {
    if (out_.segments.empty()) {  // all of them were cut short, and that was accepted
      out_.next_number = numbers_.back() + 1;
      out_.oldest = out_.next_number;
      return go_on_far_away();
    }
    SurveyedSegment& last = out_.segments.back();
    const auto meta = metas_.find(last.number);
    out_.next_number = std::max(last.number, numbers_.back()) + 1;
    out_.head = last.end;
    out_.last_is_usable = last.writer.has_value() && !last.structure_damaged;
    if (meta != metas_.end() && meta->second.end) {
      const auto missing = segment_path(directory_, last.number + 1);
      if (auto r = lost("this journal segment, the newest, is missing", missing); !r) return r;
      return go_on_far_away();
    }
    if (last.number != numbers_.back() || last.log_was_repaired) return go_on_far_away();
    if (!last.structure_damaged) return {};
    // The end of a tree can often be read when its middle cannot.
    if (last.writer) {
      auto end = last.writer->connection().query_integer("select off + n from batch order by off desc limit 1");
      if (end && *end && static_cast<uint64_t>(**end) >= last.end) {
        out_.head = last.end = static_cast<uint64_t>(**end);
        return {};
      }
    }
    if (auto r = lost("it is so damaged that its end cannot be found", last.path); !r) return r;
    return go_on_far_away();
  }

  // Nobody knows which offsets and epochs the lost part gave: a new segment begins beyond all of them.
  Result<void> go_on_far_away() {
    out_.last_is_usable = false;
    out_.gap_before_next = true;
    out_.head = std::max(out_.head, fresh_offset_);
    out_.epoch += kEpochJump;
    return {};
  }

  const std::filesystem::path& directory_;
  const std::string& vfs_;
  const uint64_t fresh_offset_;
  const bool accept_loss_;
  std::vector<uint64_t> numbers_;
  bool has_stream_file_ = false;
  std::map<uint64_t, SegmentMeta> metas_;  // of those that could be read
  JournalSurvey out_;
};

}  // namespace

Result<JournalSurvey> survey_journal(const std::filesystem::path& directory, const std::string& vfs, WallMs now) {
  return Surveyor(directory, vfs, now).run();
}

Result<void> write_stream_file(const std::filesystem::path& directory, uint64_t stream) {
  std::string bytes;
  ByteWriter(bytes).u64(stream);
  return write_file_durably(directory / kStreamFile, std::string(kStreamTitle) + to_hex(bytes) + "\n");
}

std::string quarantine_batch(const std::filesystem::path& directory, uint64_t segment, uint64_t offset,
                             std::string_view bytes) {
  const std::filesystem::path folder = directory / "quarantine";
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  const std::filesystem::path path =
      folder / (segment_path("", segment).stem().string() + "-" + std::to_string(offset) + ".batch");
  if (auto r = write_file_durably(path, bytes); !r) return "nothing (" + r.error().message + ")";
  return path.string();
}

Result<void> check_batch(const SegmentRow& row, uint64_t stream) {
  auto batch = decode_batch(row.data);
  if (!batch) return std::move(batch).error();
  if (batch->header.offset != row.offset || batch->header.count != row.count || batch->header.stream != stream) {
    return Error{Code::invalid, "the batch belongs to another place", "batch"};
  }
  return {};
}

}  // namespace godwit
