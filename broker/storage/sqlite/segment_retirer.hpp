// SegmentRetirer: the background thread that takes sealed segments from the journal's writer.
//
// It copies each segment's log into its file and makes the file stand alone, and it removes the files of trimmed
// segments, so that neither ever stands in the way of a commit. A reader in the middle of a segment, or a full disk,
// only delays it. A disk error leaves the log where it is: nothing is lost, readers go on, and the next start copies
// it.
//
// Any thread may call. stop() finishes what is queued, except what a reader or a full disk keeps from finishing.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/storage/sqlite/segment.hpp"

namespace godwit {

class SegmentRetirer {
 public:
  SegmentRetirer();
  ~SegmentRetirer();  // stop()

  void retire(SegmentWriter writer, std::filesystem::path path);
  void remove(std::filesystem::path path);

  // Waits until nothing is queued or under way. With a reader inside a sealed segment that is as long as the reader
  // stays.
  void wait_idle();
  void stop();

 private:
  struct Job {
    std::filesystem::path path;
    SegmentWriter writer;
    bool is_removal = false;
  };

  void run();
  bool finish(Job& job);  // false: try again later

  std::mutex mutex_;  // guards everything below but the thread
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool working_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace godwit
