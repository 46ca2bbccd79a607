// The journal whose files were harmed: flipped bits are found, reported and stepped over (R17); missing and cut files
// end the start with an error that says what to do.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <map>
#include <string>

#include "broker/base/random.hpp"
#include "broker/storage/sqlite/sqlite_journal_rig.hpp"

namespace godwit {
namespace {

constexpr WallMs kNow = 1'790'000'000'000;
namespace fs = std::filesystem;

// As a killed process would leave it. The journal is at work: what its thread has just put away is not there any more.
void copy_running(const fs::path& journal, const fs::path& to) {
  fs::create_directories(to);
  for (const fs::directory_entry& file : fs::directory_iterator(journal)) {
    std::error_code gone;
    fs::copy_file(file.path(), to / file.path().filename(), gone);
    EXPECT_TRUE(!gone || gone == std::errc::no_such_file_or_directory) << file.path() << ": " << gone.message();
  }
}

class JournalDamage : public testing::Test {
 protected:
  JournalDamage() : rig(64 << 10) { spdlog::set_level(spdlog::level::off); }
  ~JournalDamage() override { spdlog::set_level(spdlog::level::info); }

  // A body tells which one it is, so that a wrong one cannot pass for it.
  static std::string body(int i) {
    std::string out = "#" + std::to_string(i) + ":";
    while (out.size() < 900) out += std::to_string(out.size() * 7919 + static_cast<size_t>(i));
    return out;
  }
  Fate append() {
    std::string records;
    append_record(records, RecordType::accept, 0, body(next));
    const Fate fate = rig.journal().append(records, 1, kNow).fate;
    if (fate == Fate::ok) ++next;
    return fate;
  }
  // Segments 1 to 4, of about 64 batches each.
  void fill() {
    ASSERT_TRUE(rig.journal().open());
    while (rig.journal().segments().size() < 4) ASSERT_EQ(append(), Fate::ok);
    for (int i = 0; i < 20; ++i) ASSERT_EQ(append(), Fate::ok);
    rig.journal().wait_until_retired();
  }
  Result<Opened> restart() {
    rig.restart();
    return rig.journal().open();
  }
  // How many of all batches can be read; each that comes must be the right one.
  int readable() {
    int count = 0;
    uint64_t last = 0;
    const auto r = rig.journal().read(0, [&](RecordRef ref, const RecordView& record) {
      EXPECT_TRUE(count == 0 || ref.offset > last);
      last = ref.offset;
      if (ref.offset < static_cast<uint64_t>(next)) {
        EXPECT_EQ(record.body, body(static_cast<int>(ref.offset)));
      }
      return ++count, true;
    });
    EXPECT_TRUE(r) << r.error().where << ": " << r.error().message;
    return count;
  }
  bool is_reported() {
    for (const SegmentInfo& segment : rig.journal().segments()) {
      if (segment.damaged) return true;
    }
    return false;
  }
  void accept_loss() { spit(rig.path() / "accept-loss", ""); }
  // An error that names the file and says how to go on.
  static void expect_remedy(const Result<Opened>& opened, const fs::path& where, std::string_view what) {
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().where, where.string());
    EXPECT_NE(opened.error().message.find(what), std::string::npos) << opened.error().message;
    EXPECT_NE(opened.error().message.find("restore the files from a backup, or create the file"), std::string::npos)
        << opened.error().message;
  }

  SqliteJournalRig rig;
  int next = 0;
};

TEST_F(JournalDamage, AMissingSegmentEndsTheStartAndTheOperatorMayAcceptIt) {
  fill();
  const auto segments = rig.journal().segments();
  rig.stop();
  fs::remove(rig.path(2));
  expect_remedy(restart(), rig.path(2), "this journal segment is missing");
  accept_loss();
  ASSERT_TRUE(restart());
  EXPECT_FALSE(fs::exists(rig.path() / "accept-loss")) << "it is good for one start";
  EXPECT_EQ(readable(), next - static_cast<int>(segments[1].end_offset - segments[1].first_offset));
  ASSERT_TRUE(restart()) << "what was accepted stays accepted";
  EXPECT_EQ(append(), Fate::ok);
}

TEST_F(JournalDamage, TheOldestSegmentMissingIsNotTakenForATrim) {
  fill();
  rig.stop();
  fs::remove(rig.path(1));
  expect_remedy(restart(), rig.path(1), "this journal segment is missing");
  accept_loss();
  ASSERT_TRUE(restart());
  ASSERT_TRUE(restart());
}

TEST_F(JournalDamage, TheNewestSegmentMissingEndsTheStartAndNoOffsetIsGivenTwice) {
  fill();
  const uint64_t head = rig.journal().segments().back().end_offset;
  rig.stop();
  fs::remove(rig.path(4));
  expect_remedy(restart(), rig.path(4), "the newest, is missing");
  accept_loss();
  auto opened = restart();
  ASSERT_TRUE(opened);
  EXPECT_GT(opened->head, head);
  EXPECT_EQ(append(), Fate::ok);
  opened = restart();
  ASSERT_TRUE(opened) << opened.error().message;
}

TEST_F(JournalDamage, AllSegmentsMissingIsNotANewJournal) {
  fill();
  rig.stop();
  for (const uint64_t number : {1, 2, 3, 4}) fs::remove(rig.path(number));
  expect_remedy(restart(), rig.path(), "all journal segments are missing");
  accept_loss();
  const auto opened = restart();
  ASSERT_TRUE(opened);
  EXPECT_GT(opened->head, static_cast<uint64_t>(next));
  ASSERT_TRUE(restart());
}

TEST_F(JournalDamage, ACutSegmentEndsTheStart) {
  for (const uint64_t number : {2, 4}) {
    for (const uint64_t length : {0, 50, 16384, 40000}) {
      SCOPED_TRACE(std::to_string(number) + " cut to " + std::to_string(length));
      rig.stop();
      fs::remove_all(rig.path());
      rig.restart();
      next = 0;
      fill();
      rig.stop();
      fs::resize_file(rig.path(number), length);
      expect_remedy(restart(), rig.path(number), "truncated");
      accept_loss();
      const auto opened = restart();
      ASSERT_TRUE(opened) << opened.error().message;
      EXPECT_TRUE(fs::exists(rig.path() / "quarantine" / rig.path(number).filename()));
      EXPECT_GT(readable(), 100);
      ASSERT_TRUE(restart());
    }
  }
}

TEST_F(JournalDamage, ALostLogOfASealedSegmentEndsTheStart) {
  ASSERT_TRUE(rig.journal().open());
  // A reader inside segment 1 keeps its log from being copied, so a crash leaves it.
  for (int i = 0; i < 5; ++i) append();
  TestDirectory crashed;
  ASSERT_TRUE(rig.journal().read(0, [&](RecordRef, const RecordView&) {
    while (rig.journal().segments().size() < 3) EXPECT_EQ(append(), Fate::ok);
    copy_running(rig.path(), crashed.path() / "journal");
    return false;
  }));
  ManualClock clock;
  ASSERT_TRUE(fs::remove(crashed.path() / "journal/00000001.db-wal"));
  SqliteJournal journal({crashed.path() / "journal", 64 << 10, {}}, clock);
  expect_remedy(journal.open(), crashed.path() / "journal/00000001.db", "its -wal file is missing");
}

TEST_F(JournalDamage, ASegmentOfAnotherJournalIsNotMixedIn) {
  fill();
  rig.stop();
  SqliteJournalRig other(64 << 10);
  ASSERT_TRUE(other.journal().open());
  other.stop();
  fs::copy_file(other.path(1), rig.path(2), fs::copy_options::overwrite_existing);
  const auto opened = restart();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().where, rig.path(2).string());
}

// One flipped bit at any place of a file that was closed in order.
TEST_F(JournalDamage, AFlippedBitInAClosedJournalIsFoundAndTheRestIsServed) {
  fill();
  rig.stop();
  TestDirectory intact;
  fs::copy(rig.path(), intact.path() / "journal", fs::copy_options::recursive);
  Random random(7);
  int refused_starts = 0, found = 0;
  constexpr int kFlips = kSlow ? 50 : 200;
  for (int flip = 0; flip < kFlips && !HasFailure(); ++flip) {
    rig.stop();
    fs::remove_all(rig.path());
    fs::copy(intact.path() / "journal", rig.path(), fs::copy_options::recursive);
    const auto file = rig.path(1 + random.below(4));
    std::string bytes = slurp(file);
    // Half of the flips go where the file's structure is: into the first bytes of a page.
    const size_t page = random.below(bytes.size() / 16384) * 16384;
    const size_t at = flip % 2 ? random.below(bytes.size()) : page + random.below(200);
    bytes[at] ^= static_cast<char>(1 << random.below(8));
    spit(file, bytes);
    SCOPED_TRACE(file.filename().string() + " byte " + std::to_string(at));
    if (!restart()) {
      ++refused_starts;
      continue;
    }
    const int count = readable();
    found += is_reported() ? 1 : 0;  // many bits are in room that nothing uses
    EXPECT_TRUE(count == next || is_reported()) << "lost without a word: " << next - count;
    EXPECT_GE(count, next - 80) << "more than a segment is lost";
    EXPECT_EQ(rig.journal().append(std::string("\x01\0\0\0\0", 5), 1, kNow).fate, Fate::ok);
  }
  EXPECT_LT(refused_starts, kFlips / 10) << "most damage is no reason not to start";
  EXPECT_GT(found, kFlips / 5);
}

// The same in the log of a journal that was killed: SQLite alone would drop everything behind the bit without a word.
TEST_F(JournalDamage, AFlippedBitInTheLogOfAKilledJournalIsFoundAndTheRestIsServed) {
  ASSERT_TRUE(rig.journal().open());
  for (int i = 0; i < 50; ++i) ASSERT_EQ(append(), Fate::ok);
  TestDirectory killed;
  copy_running(rig.path(), killed.path() / "journal");
  Random random(8);
  const size_t log_bytes = fs::file_size(killed.path() / "journal/00000001.db-wal");
  int lost_tail = 0, lost_much = 0;
  constexpr int kFlips = kSlow ? 50 : 200;
  for (int flip = 0; flip < kFlips && !HasFailure(); ++flip) {
    rig.stop();
    fs::remove_all(rig.path());
    fs::copy(killed.path() / "journal", rig.path(), fs::copy_options::recursive);
    const auto file = rig.path() / "00000001.db-wal";
    std::string bytes = slurp(file);
    const size_t frame = 32 + random.below(log_bytes / 16408) * 16408;
    const size_t at = flip % 3 == 0   ? random.below(bytes.size())
                      : flip % 3 == 1 ? frame + random.below(24)
                                      : random.below(32);
    bytes[at] ^= static_cast<char>(1 << random.below(8));
    spit(file, bytes);
    SCOPED_TRACE("byte " + std::to_string(at) + " of " + std::to_string(bytes.size()));
    const auto opened = restart();
    ASSERT_TRUE(opened) << opened.error().message;
    const int count = readable();
    const bool is_tail = count == next - 1 && at > bytes.size() - 3 * 16408;  // like a commit that was not finished
    lost_tail += is_tail ? 1 : 0;
    EXPECT_TRUE(count == next || is_tail || is_reported()) << "lost without a word: " << next - count;
    lost_much += count < next - 25 ? 1 : 0;  // the few bytes of a segment's schema are worth the segment
  }
  EXPECT_LE(lost_tail, 2 + kFlips / 20);
  EXPECT_LE(lost_much, 1 + kFlips / 100);
}

}  // namespace
}  // namespace godwit
