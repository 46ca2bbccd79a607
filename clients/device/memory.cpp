#include "clients/device/memory.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace godwit::device {
namespace {

std::string line_of(const Event& event) {
  return "event " + event.message_id + " " + event.word + " " + std::to_string(event.at_ms);
}

}  // namespace

Memory::Memory(std::string file) : file_(std::move(file)) {
  if (file_.empty()) return;
  load();
  rewrite();
}

Memory::~Memory() {
  if (out_) std::fclose(out_);
}

void Memory::load() {
  std::ifstream in(file_);
  for (std::string line; std::getline(in, line);) {
    if (in.eof()) break;  // without its line end: the process died while it wrote
    std::istringstream words(line);
    std::string kind, id, word;
    int64_t at = 0;
    words >> kind >> id;
    if (kind == "shown" && !id.empty())
      remember_shown(id);
    else if (kind == "event" && words >> word >> at)
      events_.push_back({id, word, at});
    else if (kind == "taken" && words >> word)
      forget_event(id, word);
  }
}

void Memory::rewrite() {
  if (out_) std::fclose(out_);
  const std::string fresh = file_ + ".new";
  {
    std::ofstream all(fresh, std::ios::trunc);
    for (const std::string& id : shown_order_) all << "shown " << id << '\n';
    for (const Event& event : events_) all << line_of(event) << '\n';
  }
  std::rename(fresh.c_str(), file_.c_str());
  lines_ = shown_order_.size() + events_.size();
  out_ = std::fopen(file_.c_str(), "a");
}

void Memory::write(const std::string& line) {
  if (!out_) return;
  std::fputs((line + "\n").c_str(), out_);
  std::fflush(out_);
  if (++lines_ > 4 * (kMaxShown + kMaxEvents)) rewrite();
}

void Memory::remember_shown(const std::string& message_id) {
  if (!shown_.insert(message_id).second) return;
  shown_order_.push_back(message_id);
  if (shown_order_.size() <= kMaxShown) return;
  shown_.erase(shown_order_.front());
  shown_order_.pop_front();
}

void Memory::shown(const std::string& message_id) {
  if (was_shown(message_id)) return;
  remember_shown(message_id);
  write("shown " + message_id);
}

void Memory::add(Event event) {
  const bool is_known = std::any_of(events_.begin(), events_.end(), [&](const Event& e) {
    return e.message_id == event.message_id && e.word == event.word;
  });
  if (is_known) return;
  write(line_of(event));
  events_.push_back(std::move(event));
  if (events_.size() > kMaxEvents) events_.pop_front();
}

void Memory::forget_event(const std::string& message_id, const std::string& word) {
  std::erase_if(events_, [&](const Event& e) { return e.message_id == message_id && e.word == word; });
}

void Memory::taken(const std::string& message_id, const std::string& word) {
  forget_event(message_id, word);
  write("taken " + message_id + " " + word);
}

}  // namespace godwit::device
