#include "broker/app/decision_file.hpp"

#include <spdlog/spdlog.h>

#include <chrono>

namespace godwit {

DecisionFile::DecisionFile(std::filesystem::path directory, uint64_t most_bytes)
    : path_(directory / "decisions.ndjson"), older_(directory / "decisions.1.ndjson"), most_bytes_(most_bytes) {}

void DecisionFile::open() {
  std::error_code error;
  const uint64_t size = std::filesystem::file_size(path_, error);
  bytes_ = error ? 0 : size;
  out_.clear();
  out_.open(path_, std::ios::app | std::ios::binary);
}

void DecisionFile::append(const std::string& lines) {
  if (!out_.is_open()) open();
  if (bytes_ > 0 && bytes_ + lines.size() > most_bytes_) {
    out_.close();
    std::error_code error;
    std::filesystem::rename(path_, older_, error);
    open();
  }
  out_ << lines << std::flush;
  if (out_) {
    bytes_ += lines.size();
    return;
  }
  ++lost_;
  out_.close();
  const auto now = std::chrono::steady_clock::now().time_since_epoch() / std::chrono::seconds(1);
  if (now < warned_at_s_ + 60) return;
  warned_at_s_ = now;
  spdlog::warn("{} cannot be written, {} pieces of the decision log are lost; free disk space", path_.string(), lost_);
}

}  // namespace godwit
