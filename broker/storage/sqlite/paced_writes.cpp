#include "broker/storage/sqlite/paced_writes.hpp"

namespace godwit {
namespace {

// SQLite's methods get the file and nothing of ours, so what a write needs to know lies with its thread.
struct Pace {
  const sqlite3_io_methods* real = nullptr;
  uint64_t slice_bytes = 0, unflushed_bytes = 0;
};
thread_local Pace pace;

int write_and_flush(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 at) {
  const int rc = pace.real->xWrite(file, from, bytes, at);
  if (rc != SQLITE_OK) return rc;
  pace.unflushed_bytes += static_cast<uint64_t>(bytes);
  if (pace.unflushed_bytes < pace.slice_bytes) return SQLITE_OK;
  pace.unflushed_bytes = 0;
  return pace.real->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

}  // namespace

PacedWrites::PacedWrites(sqlite3* db, uint64_t slice_bytes) {
  if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file_) != SQLITE_OK || !file_ || !file_->pMethods) {
    file_ = nullptr;  // then it goes on unpaced
    return;
  }
  real_ = file_->pMethods;
  paced_ = *real_;
  paced_.xWrite = write_and_flush;
  pace = {real_, slice_bytes, 0};
  file_->pMethods = &paced_;
}

PacedWrites::~PacedWrites() {
  if (file_) file_->pMethods = real_;
}

}  // namespace godwit
