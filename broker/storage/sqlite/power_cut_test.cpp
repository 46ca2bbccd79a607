// R2 in small: the power goes at any point between two operations of the disk, and what was not flushed is there, is
// not, or is torn. Everything that was acknowledged before is there.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <map>
#include <string>
#include <vector>

#include "broker/storage/sqlite/fault_vfs.hpp"
#include "broker/storage/sqlite/sqlite_catalogue.hpp"
#include "broker/storage/sqlite/sqlite_journal.hpp"
#include "broker/storage/test_directory.hpp"

namespace godwit {
namespace {

namespace fs = std::filesystem;
constexpr WallMs kNow = 1'790'000'000'000;

class PowerCut : public testing::Test {
 protected:
  PowerCut() : vfs("power-cut") {
    spdlog::set_level(spdlog::level::off);
    vfs.record_into(&log);
  }
  ~PowerCut() override {
    vfs.record_into(nullptr);
    spdlog::set_level(spdlog::level::info);
  }

  TestDirectory directory;
  ManualClock clock;
  WriteLog log;
  FaultVfs vfs;
};

TEST_F(PowerCut, WhatTheJournalAcknowledgedSurvivesItAtEveryPoint) {
  struct Acknowledged {
    uint64_t offset;
    std::string body;
    size_t at;  // how long the log was when the answer came
  };
  std::vector<Acknowledged> acknowledged;
  {
    SqliteJournal journal({directory.path() / "journal", 48 << 10, vfs.name()}, clock);
    ASSERT_TRUE(journal.open());
    for (int i = 0; i < 30; ++i) {
      const std::string body = "#" + std::to_string(i) + std::string(i % 4 == 0 ? 30'000 : 2'000, '.');
      std::string record;
      append_record(record, RecordType::accept, 0, body);
      const Appended appended = journal.append(record, 1, kNow);
      ASSERT_EQ(appended.fate, Fate::ok);
      acknowledged.push_back({appended.offset, body, log.size()});
    }
  }
  const std::string stream = slurp(directory.path() / "journal/stream");
  Random random(1);
  const size_t stride = kSlow ? 7 : 1;
  for (size_t length = 0; length <= log.size() && !HasFailure(); length += stride) {
    for (int round = 0; round < 2; ++round) {
      SCOPED_TRACE("cut after " + std::to_string(length) + " of " + std::to_string(log.size()));
      TestDirectory after;
      log.cut(length, random, after.path());
      if (fs::exists(after.path() / "00000001.db")) spit(after.path() / "stream", stream);
      SqliteJournal journal({after.path(), 48 << 10, {}}, clock);
      const auto opened = journal.open();
      ASSERT_TRUE(opened) << opened.error().where << ": " << opened.error().message;
      std::map<uint64_t, std::string> found;
      ASSERT_TRUE(
          journal.read(0, [&](RecordRef ref, const RecordView& r) { return found[ref.offset] = r.body, true; }));
      for (const Acknowledged& told : acknowledged) {
        if (told.at > length) break;
        ASSERT_TRUE(found.contains(told.offset)) << "acknowledged and lost: offset " << told.offset;
        EXPECT_EQ(found[told.offset], told.body);
      }
      EXPECT_EQ(found.size(), opened->head) << "no hole";
      for (const SegmentInfo& segment : journal.segments()) EXPECT_FALSE(segment.damaged);
    }
  }
}

TEST_F(PowerCut, ValuesKeysAndTheRowsBeforeThemSurviveItAtEveryPoint) {
  std::vector<size_t> rounds;  // rounds[r - 1]: how long the log was when round r's value was acknowledged
  {
    auto catalogue = SqliteCatalogue::open(directory.path() / "registry.db", vfs.name());
    ASSERT_TRUE(catalogue);
    for (uint64_t r = 1; r <= 12; ++r) {
      const DeviceRow row{.number = r,
                          .app = "a",
                          .device_id = std::to_string(r),
                          .subject = "s",
                          .version = 1,
                          .packed = std::string(3'000, '.')};
      ASSERT_EQ((*catalogue)->put_devices({&row, 1}), Fate::ok);
      ASSERT_EQ((*catalogue)->put_value("round", std::to_string(r)), Fate::ok);
      rounds.push_back(log.size());
    }
  }
  Random random(2);
  const size_t stride = kSlow ? 7 : 1;
  for (size_t length = 0; length <= log.size() && !HasFailure(); length += stride) {
    SCOPED_TRACE("cut after " + std::to_string(length) + " of " + std::to_string(log.size()));
    TestDirectory after;
    log.cut(length, random, after.path());
    auto catalogue = SqliteCatalogue::open(after.path() / "registry.db");
    ASSERT_TRUE(catalogue) << catalogue.error().message;
    uint64_t devices = 0;
    ASSERT_TRUE((*catalogue)->scan_devices([&](const DeviceRowView&) { return ++devices, true; }));
    const auto value = (*catalogue)->get_value("round");
    ASSERT_TRUE(value);
    const uint64_t round = *value ? std::stoull(**value) : 0;
    uint64_t told = 0;
    while (told < rounds.size() && rounds[told] <= length) ++told;
    EXPECT_GE(round, told) << "an acknowledged value is lost";
    EXPECT_GE(devices, round) << "rows older than the value are lost";
  }
}

}  // namespace
}  // namespace godwit
