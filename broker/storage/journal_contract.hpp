// What every Journal promises, as tests: an implementation exists only when it passes. Instantiate with a Rig:
//
//   struct Rig {
//     explicit Rig(uint64_t segment_bytes);   // a new, empty journal, not open yet
//     Journal& journal();
//     void restart();                          // the process ends in order and starts again; not open yet
//     void damage(uint64_t offset, std::string_view body);  // one bit of the batch at `offset`, whose record has
//     `body`;
//   };                                         // ends with a restart, not open yet
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "broker/storage/journal.hpp"

namespace godwit {

template <class Rig>
class JournalContract : public testing::Test {
 protected:
  static constexpr uint64_t kSmallSegment = 16 << 10;
  static constexpr WallMs kNow = 1'790'000'000'000;

  JournalContract() : rig(kSmallSegment) {}

  Journal& journal() { return rig.journal(); }
  Opened open() {
    auto opened = journal().open();
    EXPECT_TRUE(opened) << opened.error().where << ": " << opened.error().message;
    return opened ? *opened : Opened{};
  }
  Appended append(const std::vector<std::string>& bodies, WallMs now = kNow) {
    std::string records;
    for (const std::string& body : bodies) append_record(records, RecordType::accept, 5, body, 2);
    return journal().append(records, static_cast<uint32_t>(bodies.size()), now);
  }
  // Batches of one record with the bodies #0, #1, #2 … until the journal has `segments` of them. Answers how many.
  int fill(size_t segments) {
    int n = 0;
    while (journal().segments().size() < segments) {
      EXPECT_EQ(append({"#" + std::to_string(n) + std::string(1000, '.')}, kNow + n).fate, Fate::ok);
      ++n;
    }
    return n;
  }
  struct Found {
    RecordRef ref;
    std::string body;
  };
  std::vector<Found> read(uint64_t from = 0) {
    std::vector<Found> out;
    const auto r = journal().read(from, [&](RecordRef ref, const RecordView& record) {
      EXPECT_EQ(record.type, RecordType::accept);
      EXPECT_EQ(record.vshard, 5);
      EXPECT_EQ(record.flags, 2);
      out.push_back({ref, std::string(record.body)});
      return true;
    });
    EXPECT_TRUE(r) << r.error().message;
    return out;
  }

  Rig rig;
};
TYPED_TEST_SUITE_P(JournalContract);

TYPED_TEST_P(JournalContract, ANewJournalIsEmptyAndInItsFirstEpoch) {
  const Opened opened = this->open();
  EXPECT_EQ(opened.epoch, 1u);
  EXPECT_EQ(opened.head, 0u);
  EXPECT_TRUE(this->read().empty());
  ASSERT_EQ(this->journal().segments().size(), 1u);
  EXPECT_TRUE(this->journal().segments()[0].live);
}

TYPED_TEST_P(JournalContract, NothingCanBeAppendedBeforeItIsOpen) {
  EXPECT_EQ(this->append({"a"}).fate, Fate::failed);
}

TYPED_TEST_P(JournalContract, RecordsComeBackInOrderUnderTheirReferences) {
  this->open();
  EXPECT_EQ(this->append({"a", "", "c"}).offset, 0u);
  EXPECT_EQ(this->append({"d"}).offset, 3u) << "offsets count records";
  const auto found = this->read();
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].ref, (RecordRef{0, 0}));
  EXPECT_EQ(found[1].ref, (RecordRef{0, 1}));
  EXPECT_EQ(found[1].body, "");
  EXPECT_EQ(found[2].body, "c");
  EXPECT_EQ(found[3].ref, (RecordRef{3, 0}));
  EXPECT_EQ(found[3].body, "d");
}

TYPED_TEST_P(JournalContract, ReadingBeginsAtAnyRecordAndEndsAtTheHead) {
  this->open();
  this->append({"a", "b", "c"});
  this->append({"d", "e"});
  EXPECT_EQ(this->read(1).front().body, "b") << "in the middle of a batch";
  EXPECT_EQ(this->read(4).front().ref, (RecordRef{3, 1}));
  EXPECT_TRUE(this->read(5).empty()) << "the head itself";
  const auto beyond = this->journal().read(6, [](RecordRef, const RecordView&) { return true; });
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, Code::invalid);
}

TYPED_TEST_P(JournalContract, ASinkThatSaysFalseGetsNoMore) {
  this->open();
  this->append({"a", "b"});
  this->append({"c"});
  int calls = 0;
  EXPECT_TRUE(this->journal().read(0, [&](RecordRef, const RecordView&) { return ++calls < 2; }));
  EXPECT_EQ(calls, 2);
}

TYPED_TEST_P(JournalContract, WhatIsNoWholeBatchIsRefusedAndLeavesNoTrace) {
  this->open();
  std::string one;
  append_record(one, RecordType::accept, 5, "a", 2);
  EXPECT_EQ(this->journal().append("", 0, this->kNow).fate, Fate::failed);
  EXPECT_EQ(this->journal().append(one, 2, this->kNow).fate, Fate::failed);
  EXPECT_EQ(this->journal().append(one + one, 1, this->kNow).fate, Fate::failed);
  EXPECT_EQ(this->journal().append(one + "x", 1, this->kNow).fate, Fate::failed);
  EXPECT_EQ(this->append({"b"}).offset, 0u);
  EXPECT_EQ(this->read().size(), 1u);
}

TYPED_TEST_P(JournalContract, ARestartKeepsEverythingAndTakesTheNextEpoch) {
  this->open();
  this->append({"a", "b"});
  this->rig.restart();
  Opened opened = this->open();
  EXPECT_EQ(opened.epoch, 2u);
  EXPECT_EQ(opened.head, 2u);
  this->append({"c"});
  this->rig.restart();
  opened = this->open();
  EXPECT_EQ(opened.epoch, 3u);
  EXPECT_EQ(opened.head, 3u);
  EXPECT_EQ(this->read().size(), 3u);
}

TYPED_TEST_P(JournalContract, ABigBatchOfManyRecordsIsOneBatch) {
  this->open();
  const std::vector<std::string> bodies(20'000, std::string(250, 'x'));
  EXPECT_EQ(this->append(bodies).fate, Fate::ok);
  EXPECT_EQ(this->append({"next"}).offset, 20'000u);
  EXPECT_EQ(this->read().size(), 20'001u);
  EXPECT_EQ(this->read(19'999).front().ref, (RecordRef{0, 19'999}));
}

TYPED_TEST_P(JournalContract, SegmentsFollowEachOtherWithoutAHole) {
  this->open();
  const int n = this->fill(4);
  const auto check = [&] {
    const auto segments = this->journal().segments();
    ASSERT_EQ(segments.size(), 4u);
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(segments[i].first_offset, i == 0 ? 0 : segments[i - 1].end_offset);
      EXPECT_EQ(segments[i].live, i == 3);
      EXPECT_GT(segments[i].bytes, 0u);
      EXPECT_EQ(segments[i].first_ms, this->kNow + static_cast<int64_t>(segments[i].first_offset));
      EXPECT_EQ(segments[i].last_ms, this->kNow + static_cast<int64_t>(segments[i].end_offset) - 1);
      EXPECT_FALSE(segments[i].damaged);
    }
    EXPECT_EQ(segments[3].end_offset, static_cast<uint64_t>(n));
    const auto found = this->read();
    ASSERT_EQ(found.size(), static_cast<size_t>(n));
    for (int i = 0; i < n; ++i) EXPECT_TRUE(found[i].body.starts_with("#" + std::to_string(i) + '.'));
  };
  check();
  this->rig.restart();
  this->open();
  check();
}

TYPED_TEST_P(JournalContract, TrimDropsWholeSegmentsAndNeverTheLiveOne) {
  this->open();
  this->fill(4);
  const auto before = this->journal().segments();
  ASSERT_TRUE(this->journal().trim(before[1].end_offset - 1));
  EXPECT_EQ(this->journal().segments().size(), 3u) << "the second still holds a wanted record";
  ASSERT_TRUE(this->journal().trim(before[1].end_offset));
  EXPECT_EQ(this->journal().segments().size(), 2u);
  EXPECT_EQ(this->read(0).front().ref.offset, before[2].first_offset) << "reading begins with what is left";
  ASSERT_TRUE(this->journal().trim(1'000'000));
  EXPECT_EQ(this->journal().segments().size(), 1u);

  this->rig.restart();
  EXPECT_EQ(this->open().head, before[3].end_offset);
  EXPECT_EQ(this->journal().segments().size(), 1u);
  EXPECT_EQ(this->read(0).front().ref.offset, before[3].first_offset);
}

TYPED_TEST_P(JournalContract, AReaderWhoseSegmentIsTrimmedUnderItsHandsGoesOnWithWhatIsLeft) {
  this->open();
  const int n = this->fill(4);
  std::vector<std::string> bodies;
  const auto r = this->journal().read(0, [&](RecordRef, const RecordView& record) {
    if (bodies.empty()) {
      EXPECT_TRUE(this->journal().trim(this->journal().segments()[2].first_offset));
    }
    bodies.emplace_back(record.body);
    return true;
  });
  EXPECT_TRUE(r) << r.error().message;
  EXPECT_TRUE(bodies.back().starts_with("#" + std::to_string(n - 1) + '.'));
}

TYPED_TEST_P(JournalContract, ADamagedBatchIsSkippedAndReportedAndTheRestIsServed) {
  this->open();
  this->fill(3);
  const size_t n = this->read().size();
  const std::string victim = this->read()[1].body;
  this->rig.damage(1, victim);
  this->open();
  const auto found = this->read();
  ASSERT_EQ(found.size(), n - 1);
  EXPECT_EQ(found[0].ref.offset, 0u);
  EXPECT_EQ(found[1].ref.offset, 2u);
  EXPECT_TRUE(this->journal().segments()[0].damaged);
  EXPECT_FALSE(this->journal().segments()[1].damaged);
  EXPECT_EQ(this->append({"on"}).offset, n);
}

TYPED_TEST_P(JournalContract, ADamagedBatchInTheLiveSegmentDoesNotStopAppends) {
  this->open();
  for (int i = 0; i < 5; ++i) this->append({"body " + std::to_string(i) + std::string(500, '.')});
  this->rig.damage(4, "body 4");
  EXPECT_EQ(this->open().head, 5u) << "a damaged batch keeps its offsets";
  EXPECT_EQ(this->append({"on"}).offset, 5u);
  EXPECT_EQ(this->read().size(), 5u);
  EXPECT_TRUE(this->journal().segments().back().damaged);
}

TYPED_TEST_P(JournalContract, ReadersSeeAPrefixWhileTheWriterAppends) {
  this->open();
  constexpr int kBatches = 300;
  std::atomic<uint64_t> acknowledged{0};
  std::thread reader([&] {
    uint64_t seen = 0;
    while (seen < 2 * kBatches) {
      const uint64_t at_least = acknowledged;
      seen = 0;
      const auto r = this->journal().read(0, [&](RecordRef ref, const RecordView&) {
        EXPECT_EQ(ref.offset + ref.index, seen);
        ++seen;
        return true;
      });
      ASSERT_TRUE(r) << r.error().where << ": " << r.error().message;
      ASSERT_GE(seen, at_least) << "acknowledged means readable";
    }
  });
  for (int i = 0; i < kBatches; ++i) {
    const Appended appended = this->append({std::string(300, 'a'), "b"});
    EXPECT_EQ(appended.fate, Fate::ok) << appended.error;
    acknowledged = appended.offset + 2;
  }
  reader.join();
}

REGISTER_TYPED_TEST_SUITE_P(JournalContract, ANewJournalIsEmptyAndInItsFirstEpoch, NothingCanBeAppendedBeforeItIsOpen,
                            RecordsComeBackInOrderUnderTheirReferences, ReadingBeginsAtAnyRecordAndEndsAtTheHead,
                            ASinkThatSaysFalseGetsNoMore, WhatIsNoWholeBatchIsRefusedAndLeavesNoTrace,
                            ARestartKeepsEverythingAndTakesTheNextEpoch, ABigBatchOfManyRecordsIsOneBatch,
                            SegmentsFollowEachOtherWithoutAHole, TrimDropsWholeSegmentsAndNeverTheLiveOne,
                            AReaderWhoseSegmentIsTrimmedUnderItsHandsGoesOnWithWhatIsLeft,
                            ADamagedBatchIsSkippedAndReportedAndTheRestIsServed,
                            ADamagedBatchInTheLiveSegmentDoesNotStopAppends, ReadersSeeAPrefixWhileTheWriterAppends);

}  // namespace godwit
