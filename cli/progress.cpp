#include "cli/progress.hpp"

#include <unistd.h>

#include <cstdio>

#include "cli/table.hpp"

namespace godwit::cli {

Progress::Progress(std::string label, uint64_t total)
    : label_(std::move(label)), total_(total), visible_(isatty(STDERR_FILENO)) {}

Progress::~Progress() {
  if (!visible_) return;
  draw();
  std::fputc('\n', stderr);
}

void Progress::add(uint64_t n) {
  done_ += n;
  if (visible_ && Clock::now() - drawn_ > std::chrono::milliseconds(100)) draw();
}

void Progress::draw() {
  drawn_ = Clock::now();
  const double seconds = std::chrono::duration<double>(drawn_ - started_).count();
  const double rate = seconds > 0 ? double(done_) / seconds : 0;
  std::string text = "\r\033[K" + label_ + "  ";
  if (total_) {
    const double share = double(done_) / double(total_);
    std::string filled = bar(share, 30);
    filled += std::string(30 - std::min<size_t>(30, display_width(filled)), ' ');
    text += filled + " " + percent(share) + "  ";
  }
  text += grouped(done_) + (total_ ? " of " + grouped(total_) : "") + "  " + grouped(uint64_t(rate)) + "/s";
  if (total_ && rate > 0 && done_ < total_)
    text += "  " + grouped(uint64_t(double(total_ - done_) / rate) + 1) + " s left";
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace godwit::cli
