// DecisionFile: the decision log on disk, `decisions.ndjson` in the data directory, and before it `decisions.1.ndjson`.
// When the first one is full it takes the place of the second, so the log never needs more than twice its size.
//
// One thread at a time calls append(). A disk that takes nothing costs lines, never the broker: what was lost is
// counted in one warning a minute. A line cut by a crash is skipped by its readers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace godwit {

class DecisionFile {
 public:
  DecisionFile(std::filesystem::path directory, uint64_t most_bytes);

  void append(const std::string& lines);

 private:
  void open();

  const std::filesystem::path path_, older_;
  const uint64_t most_bytes_;
  std::ofstream out_;
  uint64_t bytes_ = 0, lost_ = 0;
  int64_t warned_at_s_ = 0;
};

}  // namespace godwit
