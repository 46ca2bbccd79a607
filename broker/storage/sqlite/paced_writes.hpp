// PacedWrites: while it lives, the writes of one connection to its database file are flushed a little at a time.
//
// A checkpoint of a sealed segment writes a hundred megabytes and flushes once at the end. Until then they are dirty
// data of a file system whose next journal commit, which is the live segment's next flush, has to wait for them:
// commits stood still for 50 ms and more. Flushed in slices, the background work never owes the disk more than one
// slice.
//
// One thread makes the object, uses the connection and destroys the object.
#pragma once

#include <sqlite3.h>

#include <cstdint>

namespace godwit {

class PacedWrites {
 public:
  explicit PacedWrites(sqlite3* db, uint64_t slice_bytes = 2 << 20);
  ~PacedWrites();
  PacedWrites(const PacedWrites&) = delete;

 private:
  sqlite3_file* file_ = nullptr;
  const sqlite3_io_methods* real_ = nullptr;
  sqlite3_io_methods paced_{};
};

}  // namespace godwit
