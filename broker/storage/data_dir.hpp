// DataDir: the directory that holds everything a broker must not lose, and the watch over its space.
//
//   lock        held while a broker runs; names its process
//   ballast     room that is kept for an emergency: removed so that outcomes can still be written to a full disk
//   journal/    SqliteJournal
//   registry.db SqliteCatalogue
//
// Opening it is the first thing a broker does to the disk, and every fault says which path and what to do. Any thread
// may ask for the space; the ballast belongs to one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "broker/base/result.hpp"
#include "broker/storage/files.hpp"

namespace godwit {

struct DiskSpace {
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;  // for us: without what the file system keeps for root
};

// What the broker still takes, in falling order.
enum class SpaceLevel : uint8_t {
  plenty,         // everything
  no_bulk,        // everything but bulk
  urgent_only,    // urgent messages only
  outcomes_only,  // no message at all; what became of accepted ones is still written
};

struct SpaceLimits {
  double no_bulk = 0.20;  // of the total; below it bulk is refused
  double urgent_only = 0.10;
  double outcomes_only = 0.05;
  // With this much free all is well whatever its share: a twentieth of a large disk is days of journal.
  uint64_t plenty_bytes = 20ull << 30;
};

SpaceLevel space_level(DiskSpace space, const SpaceLimits& limits = {});

class DataDir {
 public:
  // Creates what is missing, checks that files can be written, takes the lock, and lays the ballast (a disk without
  // room for it is not a fault: a broker must be able to start on a full disk).
  static Result<std::unique_ptr<DataDir>> open(const std::filesystem::path& path, uint64_t ballast_bytes);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path journal() const { return path_ / "journal"; }
  std::filesystem::path registry() const { return path_ / "registry.db"; }

  Result<DiskSpace> space() const;

  bool has_ballast() const { return has_ballast_; }
  Result<void> drop_ballast();
  Result<void> lay_ballast();  // again, when there is room; Code::no_space when there is not

 private:
  DataDir(std::filesystem::path path, uint64_t ballast_bytes) : path_(std::move(path)), ballast_bytes_(ballast_bytes) {}
  Result<void> take_lock();
  Result<void> check_writable() const;

  const std::filesystem::path path_;
  const uint64_t ballast_bytes_;
  Descriptor lock_;
  bool has_ballast_ = false;
};

}  // namespace godwit
