// SqliteConnection and SqliteStatement: SQLite's C interface with owners, and with every return code in somebody's
// hands.
//
// One thread at a time uses a connection (they are opened without SQLite's own mutex); it may move between threads.
// The rule of this folder: a live file has ONE read-write connection, in this process and in any other. SQLite
// before 3.51.3 can corrupt a write-ahead log when two connections write and checkpoint at the same moment. Readers
// open read-only. And nobody opens a database file by other means while SQLite has it open: closing any descriptor of a
// file drops all the POSIX locks that the process holds on it.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "broker/base/result.hpp"

namespace godwit {

// The result code without its extension.
inline int primary(int rc) {
  return rc & 0xff;
}

// The bytes in the file make no sense, or the disk cannot give them back.
inline bool is_damage(int rc) {
  return primary(rc) == SQLITE_CORRUPT || primary(rc) == SQLITE_NOTADB || primary(rc) == SQLITE_IOERR;
}

class SqliteStatement {
 public:
  SqliteStatement() = default;

  // Parameters count from 1. Text and blobs are borrowed until the next reset(). A bind that fails is told by step().
  SqliteStatement& bind(int at, int64_t value);
  SqliteStatement& bind(int at, uint64_t value) { return bind(at, static_cast<int64_t>(value)); }
  SqliteStatement& bind_text(int at, std::string_view value);
  SqliteStatement& bind_blob(int at, std::string_view value);

  // SQLITE_ROW, SQLITE_DONE, or an extended error code.
  [[nodiscard]] int step();
  // Ready for the next round; answers the error of the last step again, if it had one.
  int reset();

  int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::string_view bytes(int column) const;  // until the next step or reset

 private:
  friend class SqliteConnection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  void note(int rc);

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bind_error_ = SQLITE_OK;
};

class SqliteConnection {
 public:
  enum class Mode { read_only, read_write, create };

  SqliteConnection() = default;

  // `vfs` names another file layer (a test's); empty is the system's.
  static Result<SqliteConnection> open(const std::filesystem::path& file, Mode mode, const std::string& vfs = {});

  Result<void> exec(const char* sql);
  Result<SqliteStatement> prepare(const char* sql);
  Result<std::optional<int64_t>> query_integer(const char* sql);  // the first column of the first row

  // Copies the write-ahead log into the database. `busy`: a reader keeps some of it from being copied.
  Result<bool> checkpoint(int mode);

  // Closes without touching the file: the log stays for the next opener. For files whose last flush failed.
  void abandon();
  Result<void> close();

  // What `rc` means for people, with the file as its place. `doing` begins the message.
  Error error(int rc, std::string_view doing) const;

  sqlite3* raw() const { return db_.get(); }
  bool is_open() const { return db_ != nullptr; }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, Close> db_;
  std::string file_;
};

// Refuses a build that is not safe with threads, and logs once which version it is and what we know of it.
Result<void> check_sqlite_library();

}  // namespace godwit
