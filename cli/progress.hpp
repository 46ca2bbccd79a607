// Progress: one line on a terminal that shows how far a long work is and how long it still takes; silent elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace godwit::cli {

class Progress {
 public:
  // `total` 0: unknown, only the count and the rate are shown.
  Progress(std::string label, uint64_t total);
  ~Progress();  // ends the line
  void add(uint64_t n);

 private:
  void draw();
  using Clock = std::chrono::steady_clock;
  const std::string label_;
  const uint64_t total_;
  const bool visible_;
  const Clock::time_point started_ = Clock::now();
  Clock::time_point drawn_{};
  uint64_t done_ = 0;
};

}  // namespace godwit::cli
