#include "broker/storage/sqlite/connection.hpp"

#include <spdlog/spdlog.h>

#include <mutex>

namespace godwit {
namespace {

constexpr int kReaderPatienceMs = 5000;  // how long a reader waits for a lock that is only ever held for moments
constexpr int kFixedWalVersion = 3'051'003;

Code code_of(int rc) {
  switch (primary(rc)) {
    case SQLITE_FULL:
      return Code::no_space;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::unavailable;
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return Code::overloaded;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return Code::forbidden;
    case SQLITE_CANTOPEN:
      return Code::not_found;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::invalid;
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return Code::internal;
    default:
      return Code::io;
  }
}

}  // namespace

SqliteStatement& SqliteStatement::bind(int at, int64_t value) {
  note(sqlite3_bind_int64(statement_.get(), at, value));
  return *this;
}

SqliteStatement& SqliteStatement::bind_text(int at, std::string_view value) {
  const char* data = value.data() ? value.data() : "";  // a null pointer would bind NULL, which is not the empty string
  note(sqlite3_bind_text64(statement_.get(), at, data, value.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

SqliteStatement& SqliteStatement::bind_blob(int at, std::string_view value) {
  const char* data = value.data() ? value.data() : "";
  note(sqlite3_bind_blob64(statement_.get(), at, data, value.size(), SQLITE_STATIC));
  return *this;
}

void SqliteStatement::note(int rc) {
  if (bind_error_ == SQLITE_OK) bind_error_ = rc;
}

int SqliteStatement::step() {
  return bind_error_ != SQLITE_OK ? bind_error_ : sqlite3_step(statement_.get());
}

int SqliteStatement::reset() {
  const int rc = sqlite3_reset(statement_.get());
  return std::exchange(bind_error_, SQLITE_OK) != SQLITE_OK ? SQLITE_MISUSE : rc;
}

std::string_view SqliteStatement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);  // before column_bytes: it may convert
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data ? std::string_view(static_cast<const char*>(data), static_cast<size_t>(size)) : std::string_view();
}

Result<SqliteConnection> SqliteConnection::open(const std::filesystem::path& file, Mode mode, const std::string& vfs) {
  SqliteConnection connection;
  connection.file_ = file.string();
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  flags |= mode == Mode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (mode == Mode::create) flags |= SQLITE_OPEN_CREATE;
  sqlite3* db = nullptr;
  const int rc = sqlite3_open_v2(connection.file_.c_str(), &db, flags, vfs.empty() ? nullptr : vfs.c_str());
  connection.db_.reset(db);
  if (rc != SQLITE_OK) return connection.error(rc, "opening it");
  // Double-quoted strings as values are a trap, and nothing here has a use for extensions or untrusted schema
  // functions.
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  if (mode == Mode::read_only) sqlite3_busy_timeout(db, kReaderPatienceMs);
  return connection;
}

Result<void> SqliteConnection::exec(const char* sql) {
  const int rc = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return error(rc, sql);
  return {};
}

Result<SqliteStatement> SqliteConnection::prepare(const char* sql) {
  SqliteStatement out;
  sqlite3_stmt* statement = nullptr;
  const int rc = sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (rc != SQLITE_OK) return error(rc, sql);
  out.statement_.reset(statement);
  return out;
}

Result<std::optional<int64_t>> SqliteConnection::query_integer(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return std::move(statement).error();
  const int rc = statement->step();
  if (rc == SQLITE_DONE) return std::optional<int64_t>();
  if (rc != SQLITE_ROW) return error(rc, sql);
  return std::optional(statement->integer(0));
}

Result<bool> SqliteConnection::checkpoint(int mode) {
  int in_log = 0, copied = 0;
  const int rc = sqlite3_wal_checkpoint_v2(db_.get(), nullptr, mode, &in_log, &copied);
  if (primary(rc) == SQLITE_BUSY) return true;
  if (rc != SQLITE_OK) return error(rc, "copying the log into the database");
  return copied < in_log;
}

void SqliteConnection::abandon() {
  if (!db_) return;
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  db_.reset();
}

Result<void> SqliteConnection::close() {
  const int rc = sqlite3_close(db_.get());
  if (rc != SQLITE_OK) return error(rc, "closing it");  // a statement is still alive: our mistake
  static_cast<void>(db_.release());
  return {};
}

Error SqliteConnection::error(int rc, std::string_view doing) const {
  std::string message = std::string(doing) + ": " + sqlite3_errstr(rc);
  // The connection's own text says more ("no such table: x") but may belong to another call.
  if (db_ && sqlite3_extended_errcode(db_.get()) == rc) {
    message = std::string(doing) + ": " + sqlite3_errmsg(db_.get());
  }
  if (const int system = db_ ? sqlite3_system_errno(db_.get()) : 0; system != 0 && primary(rc) != SQLITE_FULL) {
    message += " (errno " + std::to_string(system) + ")";
  }
  return Error{code_of(rc), message + " [sqlite " + std::to_string(rc) + "]", file_};
}

Result<void> check_sqlite_library() {
  if (sqlite3_threadsafe() == 0) {
    return Error{Code::unsupported, "this SQLite was built without threads; install Debian's libsqlite3-0", "sqlite"};
  }
  static std::once_flag said;
  std::call_once(said, [] {
    const bool has_wal_bug = sqlite3_libversion_number() < kFixedWalVersion;
    spdlog::info("SQLite {}{}", sqlite3_libversion(),
                 has_wal_bug
                     ? ": can corrupt a log that two connections write, so each file has one; open files of a running "
                       "broker read-only"
                     : "");
  });
  return {};
}

}  // namespace godwit
