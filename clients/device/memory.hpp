// Memory is what a device must not forget when its process ends: which messages it has shown, and which events the
// broker has not taken yet. A text file that only grows, rewritten when most of it is over.
//
// It survives the end of the process; whether it survives a power cut is the file system's business (no fsync: a
// phone's flash would pay for every message). Without a file it lasts as long as the object. Both lists are bounded,
// the oldest go. One thread. A file that cannot be written is as good as none: delivering goes on.
#pragma once

#include <cstdint>
#include <cstdio>
#include <deque>
#include <string>
#include <unordered_set>

namespace godwit::device {

struct Event {
  std::string message_id, word;
  int64_t at_ms = 0;
};

class Memory {
 public:
  static constexpr size_t kMaxShown = 1000, kMaxEvents = 1000;

  explicit Memory(std::string file = {});
  ~Memory();
  Memory(const Memory&) = delete;

  bool was_shown(const std::string& message_id) const { return shown_.count(message_id) > 0; }
  void shown(const std::string& message_id);

  void add(Event event);
  const std::deque<Event>& events() const { return events_; }
  // The broker has it.
  void taken(const std::string& message_id, const std::string& word);

 private:
  void load();
  void write(const std::string& line);
  void rewrite();
  void remember_shown(const std::string& message_id);
  void forget_event(const std::string& message_id, const std::string& word);

  const std::string file_;
  std::FILE* out_ = nullptr;
  size_t lines_ = 0;
  std::deque<std::string> shown_order_;
  std::unordered_set<std::string> shown_;
  std::deque<Event> events_;
};

}  // namespace godwit::device
