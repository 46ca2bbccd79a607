// WriteLog: what a disk was told, in order, so that a test can cut the power at any point and see which files are left.
//
// What was flushed is there. Of what was not, each write is there, or is not, or is torn at a sector of 512 bytes, by
// the seed and in any combination: a disk may write in any order. Any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/random.hpp"

namespace godwit {

class WriteLog {
 public:
  // A file that is there already when it is first opened counts as flushed: what is not SQLite flushes what it makes.
  void opened(const std::string& path);
  void wrote(const std::string& path, uint64_t at, std::string_view bytes);
  void truncated(const std::string& path, uint64_t size);
  void flushed(const std::string& path);
  void removed(const std::string& path);

  size_t size() const;

  // Lays below `directory` what a power cut after the first `length` operations leaves, under the files' last names.
  void cut(size_t length, Random& random, const std::filesystem::path& directory) const;

 private:
  enum class Kind : uint8_t { base, write, truncate, flush, remove };
  struct Entry {
    Kind kind;
    std::string path;
    uint64_t at = 0;
    std::string bytes = {};
  };
  void add(Entry entry);

  mutable std::mutex mutex_;
  std::vector<Entry> entries_;         // guarded by mutex_
  std::map<std::string, bool> known_;  // guarded by mutex_; paths that an entry names
};

}  // namespace godwit
