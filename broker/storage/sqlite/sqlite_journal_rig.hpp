// The SQLite journal as the contract tests and its own tests hold it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "broker/storage/sqlite/sqlite_journal.hpp"
#include "broker/storage/test_directory.hpp"

namespace godwit {

class SqliteJournalRig {
 public:
  explicit SqliteJournalRig(uint64_t segment_bytes, std::string vfs = {})
      : options_{directory_.path() / "journal", segment_bytes, std::move(vfs)} {
    restart();
  }

  SqliteJournal& journal() { return *journal_; }
  std::filesystem::path path() const { return options_.directory; }
  std::filesystem::path path(uint64_t segment) const { return segment_path(options_.directory, segment); }

  void stop() { journal_.reset(); }
  void restart() {
    stop();
    journal_ = std::make_unique<SqliteJournal>(options_, clock_);
  }
  void damage(uint64_t, std::string_view body) {
    stop();
    for (const auto& entry : std::filesystem::directory_iterator(options_.directory)) {
      if (!entry.is_regular_file()) continue;
      std::string bytes = slurp(entry.path());
      const size_t at = bytes.find(body);
      if (at == std::string::npos) continue;
      bytes[at] ^= 0x10;
      spit(entry.path(), bytes);
      return restart();
    }
    ADD_FAILURE() << "no file holds it";
  }

 private:
  TestDirectory directory_;
  ManualClock clock_;
  SqliteJournalOptions options_;
  std::unique_ptr<SqliteJournal> journal_;
};

}  // namespace godwit
