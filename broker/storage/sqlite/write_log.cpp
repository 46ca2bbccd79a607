#include "broker/storage/sqlite/write_log.hpp"

#include <algorithm>
#include <optional>

#include "broker/storage/test_directory.hpp"

namespace godwit {
namespace {

constexpr uint64_t kSector = 512;

void put(std::string& file, uint64_t at, std::string_view bytes) {
  if (file.size() < at + bytes.size()) file.resize(at + bytes.size());
  file.replace(at, bytes.size(), bytes);
}

}  // namespace

void WriteLog::add(Entry entry) {
  std::lock_guard lock(mutex_);
  known_[entry.path] = true;
  entries_.push_back(std::move(entry));
}

void WriteLog::opened(const std::string& path) {
  {
    std::lock_guard lock(mutex_);
    if (known_.contains(path)) return;
  }
  if (std::filesystem::exists(path)) add({Kind::base, path, 0, slurp(path)});
}
void WriteLog::wrote(const std::string& path, uint64_t at, std::string_view bytes) {
  add({Kind::write, path, at, std::string(bytes)});
}
void WriteLog::truncated(const std::string& path, uint64_t size) {
  add({Kind::truncate, path, size});
}
void WriteLog::flushed(const std::string& path) {
  add({Kind::flush, path});
}
void WriteLog::removed(const std::string& path) {
  add({Kind::remove, path});
}

size_t WriteLog::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

void WriteLog::cut(size_t length, Random& random, const std::filesystem::path& directory) const {
  struct File {
    std::string durable;
    std::vector<const Entry*> open;  // since the last flush
  };
  std::lock_guard lock(mutex_);
  std::map<std::string, File> files;
  for (size_t i = 0; i < std::min(length, entries_.size()); ++i) {
    const Entry& entry = entries_[i];
    if (entry.kind == Kind::remove) {
      files.erase(entry.path);
      continue;
    }
    File& file = files[entry.path];
    if (entry.kind == Kind::base) file.durable = entry.bytes;
    if (entry.kind == Kind::write || entry.kind == Kind::truncate) file.open.push_back(&entry);
    if (entry.kind != Kind::flush) continue;
    for (const Entry* done : file.open) {
      if (done->kind == Kind::write) put(file.durable, done->at, done->bytes);
      if (done->kind == Kind::truncate) file.durable.resize(done->at);
    }
    file.open.clear();
  }
  for (auto& [path, file] : files) {
    for (const Entry* maybe : file.open) {
      const uint64_t fate = random.below(3);
      if (fate == 0) continue;
      if (maybe->kind == Kind::truncate) {
        file.durable.resize(maybe->at);
        continue;
      }
      std::string_view bytes = maybe->bytes;
      if (fate == 1) bytes = bytes.substr(0, random.below(bytes.size() / kSector + 1) * kSector);
      put(file.durable, maybe->at, bytes);
    }
    spit(directory / std::filesystem::path(path).filename(), file.durable);
  }
}

}  // namespace godwit
