#include "broker/storage/sqlite/fault_vfs.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <new>

namespace godwit {
namespace {

// Our sqlite3_file; the system's own lies behind it in the same allocation.
struct FaultFile {
  sqlite3_file base;
  FaultVfs* vfs;
  sqlite3_file* real;
  const char* name;  // SQLite keeps it as long as the file is open; null for a temporary file
};

FaultFile* own(sqlite3_file* file) {
  return reinterpret_cast<FaultFile*>(file);
}
sqlite3_file* real(sqlite3_file* file) {
  return own(file)->real;
}
sqlite3_vfs* system_vfs() {
  return sqlite3_vfs_find("unix");
}
FaultVfs* fault(sqlite3_vfs* vfs) {
  return static_cast<FaultVfs*>(vfs->pAppData);
}

// Where to note what is done to this file, if anybody wants to know.
WriteLog* log_of(sqlite3_file* file) {
  return own(file)->name ? own(file)->vfs->log() : nullptr;
}

int64_t size_of(sqlite3_file* file) {
  sqlite3_int64 size = 0;
  return real(file)->pMethods->xFileSize(real(file), &size) == SQLITE_OK ? size : 0;
}

int close(sqlite3_file* file) {
  return real(file)->pMethods->xClose(real(file));
}

int read(sqlite3_file* file, void* to, int n, sqlite3_int64 at) {
  return real(file)->pMethods->xRead(real(file), to, n, at);
}

int write(sqlite3_file* file, const void* from, int n, sqlite3_int64 at) {
  const int64_t grows_by = std::max<int64_t>(0, at + n - size_of(file));
  const int rc = own(file)->vfs->before(DiskOperation::write, grows_by);
  if (rc == SQLITE_OK) {
    if (WriteLog* log = log_of(file))
      log->wrote(own(file)->name, static_cast<uint64_t>(at), {static_cast<const char*>(from), static_cast<size_t>(n)});
    return real(file)->pMethods->xWrite(real(file), from, n, at);
  }
  if (own(file)->vfs->tears()) real(file)->pMethods->xWrite(real(file), from, n / 2, at);
  return rc;
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (const int rc = own(file)->vfs->before(DiskOperation::truncate, size - size_of(file)); rc != SQLITE_OK) return rc;
  if (WriteLog* log = log_of(file)) log->truncated(own(file)->name, static_cast<uint64_t>(size));
  return real(file)->pMethods->xTruncate(real(file), size);
}

int flush(sqlite3_file* file, int flags) {
  if (const int rc = own(file)->vfs->before(DiskOperation::flush, 0); rc != SQLITE_OK) return rc;
  const int rc = real(file)->pMethods->xSync(real(file), flags);
  if (WriteLog* log = log_of(file); log && rc == SQLITE_OK) log->flushed(own(file)->name);
  return rc;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
int lock(sqlite3_file* file, int level) {
  return real(file)->pMethods->xLock(real(file), level);
}
int unlock(sqlite3_file* file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}
int check_lock(sqlite3_file* file, int* out) {
  return real(file)->pMethods->xCheckReservedLock(real(file), out);
}
int control(sqlite3_file* file, int op, void* arg) {
  return real(file)->pMethods->xFileControl(real(file), op, arg);
}
int sector_size(sqlite3_file* file) {
  return real(file)->pMethods->xSectorSize(real(file));
}
int characteristics(sqlite3_file* file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

int shm_map(sqlite3_file* file, int region, int bytes, int extend, void volatile** out) {
  if (extend) {
    if (const int rc = own(file)->vfs->before(DiskOperation::share, 0); rc != SQLITE_OK) return SQLITE_IOERR_SHMSIZE;
  }
  return real(file)->pMethods->xShmMap(real(file), region, bytes, extend, out);
}
int shm_lock(sqlite3_file* file, int offset, int n, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}
void shm_barrier(sqlite3_file* file) {
  real(file)->pMethods->xShmBarrier(real(file));
}
int shm_unmap(sqlite3_file* file, int remove) {
  return real(file)->pMethods->xShmUnmap(real(file), remove);
}

// Version 2: with a shared index, without memory-mapped reads.
const sqlite3_io_methods kMethods = {
    2,        close,       read,       write,   truncate,    flush,           file_size,
    lock,     unlock,      check_lock, control, sector_size, characteristics, shm_map,
    shm_lock, shm_barrier, shm_unmap,  nullptr, nullptr};

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  FaultFile* mine = own(file);
  mine->base.pMethods = nullptr;
  mine->vfs = fault(vfs);
  mine->real = reinterpret_cast<sqlite3_file*>(mine + 1);
  mine->name = name;
  if (WriteLog* log = log_of(file)) log->opened(name);
  struct stat ignored {};
  if ((flags & SQLITE_OPEN_CREATE) != 0 && name && ::stat(name, &ignored) != 0) {
    if (const int rc = fault(vfs)->before(DiskOperation::open, 0); rc != SQLITE_OK) return SQLITE_CANTOPEN;
  }
  const int rc = system_vfs()->xOpen(system_vfs(), name, mine->real, flags, out_flags);
  if (mine->real->pMethods) mine->base.pMethods = &kMethods;
  return rc;
}

int remove(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  struct stat found {};
  const int64_t size = ::stat(name, &found) == 0 ? found.st_size : 0;
  if (const int rc = fault(vfs)->before(DiskOperation::remove, -size); rc != SQLITE_OK) return SQLITE_IOERR_DELETE;
  if (WriteLog* log = fault(vfs)->log()) log->removed(name);
  return system_vfs()->xDelete(system_vfs(), name, sync_directory);
}

}  // namespace

FaultVfs::FaultVfs(std::string name) : name_(std::move(name)) {
  vfs_ = *system_vfs();  // what is not replaced below does not look at its sqlite3_vfs argument
  vfs_.szOsFile = static_cast<int>(sizeof(FaultFile)) + system_vfs()->szOsFile;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = open;
  vfs_.xDelete = remove;
  sqlite3_vfs_register(&vfs_, 0);
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(&vfs_);
}

void FaultVfs::fail_operation(uint64_t n, int rc, bool torn) {
  std::lock_guard lock(mutex_);
  fail_at_ = operations_ + n;
  fail_on_ = false;
  fail_rc_ = rc;
  torn_ = torn;
  failures_ = 0;
}

void FaultVfs::fail_from_operation(uint64_t n, int rc) {
  fail_operation(n, rc);
  std::lock_guard lock(mutex_);
  fail_on_ = true;
}

void FaultVfs::heal() {
  std::lock_guard lock(mutex_);
  fail_at_ = 0;
  torn_ = false;
  failures_ = 0;
}

void FaultVfs::set_capacity(const std::filesystem::path& directory, uint64_t bytes) {
  std::lock_guard lock(mutex_);
  disk_ = directory;
  capacity_ = bytes;
}

int FaultVfs::before(DiskOperation operation, int64_t grows_by) {
  std::lock_guard lock(mutex_);
  const uint64_t now = ++operations_;
  if (fail_at_ != 0 && (now == fail_at_ || (fail_on_ && now > fail_at_))) {
    ++failures_;
    if (operation == DiskOperation::flush) return SQLITE_IOERR_FSYNC;  // also for a full disk
    return fail_rc_ == SQLITE_IOERR ? SQLITE_IOERR_WRITE : fail_rc_;
  }
  if (disk_.empty() || grows_by <= 0) return SQLITE_OK;
  uint64_t used = 0;
  std::error_code gone;  // files come and go while we look
  for (const auto& entry : std::filesystem::recursive_directory_iterator(disk_, gone)) {
    const uint64_t size = entry.is_regular_file(gone) ? entry.file_size(gone) : 0;
    if (!gone) used += size;
  }
  return used + static_cast<uint64_t>(grows_by) > capacity_ ? SQLITE_FULL : SQLITE_OK;
}

}  // namespace godwit
