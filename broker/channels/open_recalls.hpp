// OpenRecalls keeps the answers that plugins owe to recalls: each is given exactly once, whatever a plugin does.
//
// What `open` returns is the plugin's `arg` and stays valid as long as this object, so that an answer given twice or
// too late finds a closed entry and not freed memory. An instance owns one; safe from any thread.
#pragma once

#include <godwit/abi.h>

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "broker/channels/misbehaviour.hpp"
#include "broker/channels/port.hpp"

namespace godwit::channels {

class OpenRecalls {
 public:
  using Done = Callback<void(RecallAnswer)>;
  explicit OpenRecalls(Misbehaviour& misbehaviour) : misbehaviour_(misbehaviour) {}

  void* open(Done done);
  void end(void* arg, RecallAnswer answer);
  // The plugin is gone: what is open ends now, and nothing is heard afterwards.
  void end_all(const RecallAnswer& answer);

  static void on_done(void* arg, int32_t status, gw_str detail);  // gw_recall_done
  static RecallEnd end_of(int32_t status);

 private:
  struct Entry {
    OpenRecalls* all;
    Done done;  // empty: free
  };
  Misbehaviour& misbehaviour_;
  std::mutex mutex_;
  std::deque<Entry> entries_;  // guarded by mutex_; addresses stay
  std::vector<Entry*> free_;   // guarded by mutex_
};

}  // namespace godwit::channels
