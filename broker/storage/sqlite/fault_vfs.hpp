// FaultVfs: a SQLite file layer for tests that passes everything on to the system's, and fails what it is told to.
//
// It counts the operations that reach the disk (writes, flushes, truncations, creations, removals, growth of the shared
// index) and can fail the n-th, fail it after half of a write was done, or play a disk of so many bytes that is full.
// Registered under its name as long as it lives. Any thread.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>

#include "broker/storage/sqlite/write_log.hpp"

namespace godwit {

enum class DiskOperation : uint8_t { open, write, flush, truncate, remove, share };

class FaultVfs {
 public:
  explicit FaultVfs(std::string name);
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;

  const std::string& name() const { return name_; }

  // The n-th operation from now on (from 1) answers `rc`; those after it work again, as a disk with one bad moment
  // does. A write that fails with `torn` was done by half.
  void fail_operation(uint64_t n, int rc, bool torn = false);
  // From operation n on nothing works any more: what a dying disk, or a process that is killed there, leaves behind.
  void fail_from_operation(uint64_t n, int rc);
  void heal();
  uint64_t operations() const { return operations_; }
  bool has_failed() const { return failures_ > 0; }

  // The files below `directory` may have so many bytes together; a write that would make them larger answers
  // SQLITE_FULL.
  void set_capacity(const std::filesystem::path& directory, uint64_t bytes);

  // Everything that is done from now on is noted there too; it outlives this object or the next call.
  void record_into(WriteLog* log) { log_ = log; }
  WriteLog* log() const { return log_; }

  // For the shims: SQLITE_OK to go on. `grows_by` is what the operation would add to the file.
  int before(DiskOperation operation, int64_t grows_by);
  bool tears() const { return torn_; }

 private:
  const std::string name_;
  sqlite3_vfs vfs_{};
  mutable std::mutex mutex_;
  std::atomic<uint64_t> operations_{0}, failures_{0};
  std::atomic<bool> torn_{false};
  std::atomic<WriteLog*> log_{nullptr};
  uint64_t fail_at_ = 0;
  bool fail_on_ = false;
  int fail_rc_ = SQLITE_OK;
  std::filesystem::path disk_;  // empty: no bound
  uint64_t capacity_ = 0;
};

}  // namespace godwit
