#include "broker/storage/sqlite/segment.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "broker/storage/files.hpp"
#include "broker/storage/sqlite/paced_writes.hpp"

namespace godwit {
namespace {

Error cut_short(const std::filesystem::path& path, std::string message) {
  return Error{Code::invalid, std::move(message), path.string()};
}

uint32_t big_endian_32(std::string_view bytes, size_t at) {
  uint32_t v = 0;
  for (size_t i = 0; i < 4; ++i) v = (v << 8) | static_cast<uint8_t>(bytes[at + i]);
  return v;
}

// The smallest offset in (bad, end] from which a row can be read again. Damage is a bad row or a bad page, so steps
// that double find its far side in a few tries, and halving finds where it begins.
uint64_t past_damage(SqliteStatement& rows, uint64_t bad, uint64_t end) {
  const auto reads = [&](uint64_t from) {
    rows.reset();
    const int rc = rows.bind(1, from).step();
    rows.reset();
    return rc == SQLITE_ROW || rc == SQLITE_DONE;
  };
  uint64_t good = end;
  for (uint64_t step = 1; step < end - bad; step *= 2) {
    if (reads(bad + step)) {
      good = bad + step;
      break;
    }
    bad += step;
  }
  while (good - bad > 1) {
    const uint64_t middle = bad + (good - bad) / 2;
    (reads(middle) ? good : bad) = middle;
  }
  return good;
}

}  // namespace

std::filesystem::path segment_path(const std::filesystem::path& directory, uint64_t number) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "%08llu.db", static_cast<unsigned long long>(number));
  return directory / name.data();
}

Result<void> create_segment(const std::filesystem::path& path, const SegmentMeta& meta, const std::string& vfs) {
  const std::filesystem::path beside = path.string() + ".new";
  std::error_code ignored;
  std::filesystem::remove(beside, ignored);
  {
    auto made = SqliteConnection::open(beside, SqliteConnection::Mode::create, vfs);
    if (!made) return std::move(made).error();
    // No flushes while it is built: it has no name yet, and it is flushed as a whole before it gets one.
    const std::string sql =
        "pragma page_size=" + std::to_string(kSegmentPageBytes) +
        "; pragma synchronous=off; pragma locking_mode=exclusive; pragma journal_mode=memory; begin;"
        "create table batch(off integer primary key, n integer not null, t integer not null, data blob not null);"
        "create table meta(k text primary key, v blob) without rowid; insert into meta values"
        "('format'," +
        std::to_string(kSegmentFormat) + "),('stream'," + std::to_string(static_cast<int64_t>(meta.stream)) +
        "),('number'," + std::to_string(meta.number) + "),('first'," + std::to_string(meta.first) + "),('epoch'," +
        std::to_string(meta.epoch) + "),('oldest'," + std::to_string(meta.oldest) + "),('gap'," +
        std::to_string(meta.gap) + "); commit;";
    if (auto r = made->exec(sql.c_str()); !r) return r;
    if (auto r = made->close(); !r) return r;
  }
  if (auto r = sync_file(beside); !r) return r;
  if (::rename(beside.c_str(), path.c_str()) != 0) return system_error("renaming it into place", beside);
  return sync_directory(path.parent_path());
}

Result<SegmentMeta> read_segment_meta(SqliteConnection& connection) {
  auto rows = connection.prepare("select k, v from meta");
  if (!rows) return std::move(rows).error();
  SegmentMeta meta;
  int64_t format = 0;
  int found = 0;
  int rc;
  while ((rc = rows->step()) == SQLITE_ROW) {
    const int64_t value = rows->integer(1);
    const std::string_view key = rows->bytes(0);
    const auto is = [&](std::string_view name) { return key == name && ++found; };
    if (is("format"))
      format = value;
    else if (is("stream"))
      meta.stream = static_cast<uint64_t>(value);
    else if (is("number"))
      meta.number = static_cast<uint64_t>(value);
    else if (is("first"))
      meta.first = static_cast<uint64_t>(value);
    else if (is("epoch"))
      meta.epoch = static_cast<uint64_t>(value);
    else if (is("oldest"))
      meta.oldest = static_cast<uint64_t>(value);
    else if (is("gap"))
      meta.gap = value != 0;
    else if (key == "end")
      meta.end = static_cast<uint64_t>(value);
  }
  if (rc != SQLITE_DONE) return connection.error(rc, "reading its meta table");
  const std::filesystem::path file = sqlite3_db_filename(connection.raw(), "main");
  if (found != 7) return Error{Code::invalid, "its meta table is not complete", file};
  if (format != kSegmentFormat) {
    return Error{Code::unsupported, "segment format " + std::to_string(format) + " was written by a newer version",
                 file};
  }
  return meta;
}

Result<void> check_segment_length(const std::filesystem::path& path) {
  auto header = read_file(path, 100);
  if (!header) return std::move(header).error();
  std::error_code failed;
  const uint64_t size = std::filesystem::file_size(path, failed);
  if (failed) return Error{Code::io, "asking its size: " + failed.message(), path.string()};
  if (header->size() < 100) return cut_short(path, "it has only " + std::to_string(size) + " bytes: it was truncated");
  // While a log is being copied into the file, the header may know of pages that only the log has yet.
  for (const char* suffix : {"-wal", "-journal"}) {
    if (std::filesystem::exists(path.string() + suffix, failed)) return {};
  }
  const uint64_t pages = big_endian_32(*header, 28);
  if (size < pages * kSegmentPageBytes) {
    return cut_short(path, "it was truncated: its header names " + std::to_string(pages * kSegmentPageBytes) +
                               " bytes, the file has " + std::to_string(size));
  }
  return {};
}

Result<void> walk_segment(SqliteConnection& connection, uint64_t first, uint64_t end, RowPart part,
                          const std::function<bool(const SegmentRow&)>& row,
                          const std::function<void(uint64_t offset, const Error&)>& damaged) {
  auto rows =
      connection.prepare(part == RowPart::whole ? "select off, n, t, data from batch where off >= ?1 order by off"
                                                : "select off, n, t, null from batch where off >= ?1 order by off");
  uint64_t next = first;
  if (!rows) {
    const int rc = sqlite3_extended_errcode(connection.raw());
    if (!is_damage(rc)) return std::move(rows).error();
    damaged(next, rows.error());  // not even the schema can be read
    return {};
  }
  while (next < end) {
    rows->bind(1, next);
    int rc;
    while ((rc = rows->step()) == SQLITE_ROW) {
      const SegmentRow found{static_cast<uint64_t>(rows->integer(0)), static_cast<uint32_t>(rows->integer(1)),
                             rows->integer(2), rows->bytes(3)};
      if (found.offset >= end || !row(found)) return {};
      next = found.offset + 1;
    }
    if (rc == SQLITE_DONE) return {};
    const Error error = connection.error(rc, "reading batches from " + std::to_string(next));
    if (!is_damage(rc)) return error;
    damaged(next, error);
    next = past_damage(*rows, next, end);
    rows->reset();
  }
  return {};
}

Result<SegmentWriter> SegmentWriter::open(const std::filesystem::path& path, const std::string& vfs) {
  SegmentWriter writer;
  auto connection = SqliteConnection::open(path, SqliteConnection::Mode::read_write, vfs);
  if (!connection) return std::move(connection).error();
  writer.connection_ = std::move(*connection);
  // No automatic checkpoint: the log grows until the segment is sealed, so a commit is one sequential write and one
  // flush. The cache holds a whole batch, or SQLite would write its pages twice.
  if (auto r = writer.connection_.exec("pragma journal_mode=wal; pragma synchronous=full; pragma wal_autocheckpoint=0;"
                                       "pragma cache_size=-6144");
      !r) {
    return std::move(r).error();
  }
  // The pragma answers the mode that it could get, not an error.
  auto is_wal = writer.connection_.query_integer("select journal_mode = 'wal' from pragma_journal_mode");
  if (!is_wal) return std::move(is_wal).error();
  if (*is_wal != 1) return Error{Code::unsupported, "this file system cannot hold a write-ahead log", path.string()};
  auto insert = writer.connection_.prepare("insert into batch(off, n, t, data) values(?1, ?2, ?3, ?4)");
  if (!insert) return std::move(insert).error();
  writer.insert_ = std::move(*insert);
  return writer;
}

SegmentWriter::Written SegmentWriter::insert(const SegmentRow& row) {
  insert_.bind(1, row.offset).bind(2, int64_t{row.count}).bind(3, row.written_ms).bind_blob(4, row.data);
  const int rc = insert_.step();  // a transaction of its own: DONE means flushed
  std::string error = rc == SQLITE_DONE ? "" : connection_.error(rc, "appending a batch").message;
  const int again = insert_.reset();
  if (rc == SQLITE_DONE) return {again == SQLITE_OK ? Fate::ok : Fate::unknown, std::move(error)};
  // The commit frame is written last, so a log without room for all frames holds no commit; damage is met in the tree,
  // before the log is touched. After any other error (a write, a flush, the shared index) the frame may be there.
  const int code = primary(rc);
  const bool is_damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  const bool surely_not =
      (is_damaged || code == SQLITE_FULL || code == SQLITE_TOOBIG) && sqlite3_get_autocommit(connection_.raw()) != 0;
  return {surely_not ? Fate::failed : Fate::unknown, std::move(error), surely_not && is_damaged};
}

Result<void> SegmentWriter::set_meta(const char* key, uint64_t value) {
  auto upsert = connection_.prepare("insert into meta values(?1, ?2) on conflict(k) do update set v = excluded.v");
  if (!upsert) return std::move(upsert).error();
  const int rc = upsert->bind_text(1, key).bind(2, value).step();
  if (rc != SQLITE_DONE) return connection_.error(rc, std::string("noting its ") + key);
  return {};
}

Result<bool> SegmentWriter::retire() {
  insert_ = {};
  {
    const PacedWrites paced(connection_.raw());
    auto busy = connection_.checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
    if (!busy || *busy) return busy;
  }
  if (auto r = connection_.exec("pragma journal_mode=delete"); !r) {
    if (r.error().code == Code::unavailable) return true;
    return std::move(r).error();
  }
  if (auto r = connection_.close(); !r) return std::move(r).error();
  return false;
}

Result<void> SegmentWriter::close() {
  insert_ = {};
  if (auto busy = connection_.checkpoint(SQLITE_CHECKPOINT_TRUNCATE); !busy) {
    abandon();
    return std::move(busy).error();
  }
  return connection_.close();
}

void SegmentWriter::abandon() {
  insert_ = {};
  connection_.abandon();
}

}  // namespace godwit
