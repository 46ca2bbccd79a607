// The journal on a disk that fails: whatever operation fails, an acknowledged batch is there after a restart and a
// refused one is not. Protects R15 (disk full and I/O errors are survived) and Fate's meaning.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <map>
#include <set>
#include <string>

#include "broker/storage/sqlite/fault_vfs.hpp"
#include "broker/storage/sqlite/sqlite_journal_rig.hpp"

namespace godwit {
namespace {

constexpr uint64_t kSmallSegment = 24 << 10;
constexpr WallMs kNow = 1'790'000'000'000;

// What the broker was told, and what it may therefore find after a restart.
class Workload {
 public:
  explicit Workload(SqliteJournalRig& rig) : rig_(rig) {}

  // Appends, rolls over, trims. `wait_for_retirement` keeps the operations in one order.
  void run(bool wait_for_retirement) {
    if (!rig_.journal().open()) return;
    for (int i = 0; i < 14; ++i) {
      append();
      if (wait_for_retirement) rig_.journal().wait_until_retired();
      const auto segments = rig_.journal().segments();
      if (i != 9 || segments.size() < 2) continue;
      trimmed_before_ = segments[1].first_offset;
      static_cast<void>(rig_.journal().trim(trimmed_before_));
    }
  }

  Fate append() {
    ++number_;
    const std::string body = "#" + std::to_string(number_) + std::string(number_ % 3 == 0 ? 20'000 : 3'000, '.');
    std::string records;
    append_record(records, RecordType::accept, 0, body);
    const Appended appended = rig_.journal().append(records, 1, kNow);
    if (appended.fate == Fate::ok) acknowledged_[body] = appended.offset;
    if (appended.fate == Fate::failed) refused_.insert(body);
    poisoned_ |= appended.fate == Fate::unknown;
    EXPECT_TRUE(!poisoned_ || appended.fate == Fate::unknown) << "nothing is promised after the poison";
    return appended.fate;
  }

  void check() {
    const auto opened = rig_.journal().open();
    ASSERT_TRUE(opened) << opened.error().where << ": " << opened.error().message;
    std::map<std::string, uint64_t> found;
    uint64_t next = 0;
    const auto r = rig_.journal().read(0, [&](RecordRef ref, const RecordView& record) {
      EXPECT_TRUE(found.empty() || ref.offset == next) << "offsets are gap-free";
      next = ref.offset + 1;
      EXPECT_TRUE(found.emplace(record.body, ref.offset).second) << "a batch is there twice";
      return true;
    });
    ASSERT_TRUE(r) << r.error().message;
    for (const auto& [body, offset] : acknowledged_) {
      if (offset < trimmed_before_) continue;
      ASSERT_TRUE(found.contains(body)) << "acknowledged and lost: offset " << offset;
      EXPECT_EQ(found[body], offset);
    }
    for (const std::string& body : refused_) EXPECT_FALSE(found.contains(body)) << "refused and there";
    for (const SegmentInfo& segment : rig_.journal().segments()) EXPECT_FALSE(segment.damaged);
    EXPECT_EQ(append(), Fate::ok) << "a healed disk takes appends";
  }

  void restart() {
    rig_.restart();
    poisoned_ = false;
  }
  size_t refused() const { return refused_.size(); }
  size_t acknowledged() const { return acknowledged_.size(); }

 private:
  SqliteJournalRig& rig_;
  int number_ = 0;
  uint64_t trimmed_before_ = 0;
  bool poisoned_ = false;
  std::map<std::string, uint64_t> acknowledged_;
  std::set<std::string> refused_;
};

class JournalFaults : public testing::Test {
 protected:
  JournalFaults() : vfs("fault") { spdlog::set_level(spdlog::level::off); }
  ~JournalFaults() override { spdlog::set_level(spdlog::level::info); }

  // Fails the n-th operation for every n that the workload has.
  void fail_each(const std::function<void(uint64_t n)>& plan, bool wait_for_retirement) {
    uint64_t n = 1;
    for (bool fired = true; fired && !HasFatalFailure(); n += kSlow ? 7 : 1) {
      SCOPED_TRACE("operation " + std::to_string(n));
      SqliteJournalRig rig(kSmallSegment, vfs.name());
      Workload workload(rig);
      plan(n);
      workload.run(wait_for_retirement);
      rig.stop();
      fired = vfs.has_failed();
      vfs.heal();
      workload.restart();
      workload.check();
    }
    EXPECT_GT(n, 60u) << "the workload has more operations than that";
  }

  FaultVfs vfs;
};

TEST_F(JournalFaults, AnyOneWriteOrFlushMayFail) {
  fail_each([&](uint64_t n) { vfs.fail_operation(n, SQLITE_IOERR); }, true);
}

TEST_F(JournalFaults, AnyOneWriteMayBeTorn) {
  fail_each([&](uint64_t n) { vfs.fail_operation(n, SQLITE_IOERR, true); }, true);
}

TEST_F(JournalFaults, TheDiskMayDieForGood) {
  fail_each([&](uint64_t n) { vfs.fail_from_operation(n, SQLITE_IOERR); }, false);
}

TEST_F(JournalFaults, AnyOneWriteMayFindNoRoom) {
  fail_each([&](uint64_t n) { vfs.fail_operation(n, SQLITE_FULL); }, true);
}

TEST_F(JournalFaults, AFailedFlushPoisonsAndTheBatchMayBeThereAfterARestart) {
  SqliteJournalRig rig(1 << 20, vfs.name());
  Workload workload(rig);
  ASSERT_TRUE(rig.journal().open());
  ASSERT_EQ(workload.append(), Fate::ok);
  uint64_t operations = vfs.operations();
  ASSERT_EQ(workload.append(), Fate::ok);
  vfs.fail_operation(vfs.operations() - operations, SQLITE_IOERR);  // the last operation of an append is its flush
  EXPECT_EQ(workload.append(), Fate::unknown);
  operations = vfs.operations();
  EXPECT_EQ(workload.append(), Fate::unknown);
  EXPECT_EQ(vfs.operations(), operations) << "a poisoned journal touches nothing";
  EXPECT_FALSE(rig.journal().trim(0));
  EXPECT_TRUE(rig.journal().read(0, [](RecordRef, const RecordView&) { return true; })) << "reading goes on";
  workload.restart();
  workload.check();
}

TEST_F(JournalFaults, AFullDiskRefusesCleanlyAndGoesOnWhenThereIsRoom) {
  SqliteJournalRig rig(48 << 10, vfs.name());
  Workload workload(rig);
  ASSERT_TRUE(rig.journal().open());
  vfs.set_capacity(rig.path(), 400 << 10);
  for (int round = 0; round < 10; ++round) {
    int appended = 0;
    for (int refused = 0; refused < 6;) ++(workload.append() == Fate::ok ? appended : refused);
    EXPECT_GT(appended, 0) << "round " << round;
    // The operator, or retention, makes room.
    vfs.set_capacity(rig.path(), (400 + 400 * (round + 1)) << 10);
  }
  EXPECT_GE(workload.refused(), 60u);
  workload.restart();
  workload.check();
}

TEST_F(JournalFaults, ATrimMakesRoomOnAFullDisk) {
  SqliteJournalRig rig(48 << 10, vfs.name());
  ASSERT_TRUE(rig.journal().open());
  Workload workload(rig);
  vfs.set_capacity(rig.path(), 600 << 10);
  while (workload.append() == Fate::ok) {
  }
  ASSERT_TRUE(rig.journal().trim(rig.journal().segments().back().first_offset));
  rig.journal().wait_until_retired();
  EXPECT_EQ(workload.append(), Fate::ok);
}

}  // namespace
}  // namespace godwit
