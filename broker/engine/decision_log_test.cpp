#include "broker/engine/decision_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace godwit::engine {
namespace {

using testing::Eq;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

MessageId id(uint64_t entropy) {
  return MessageId::make(1'700'000'000'000, 3, {entropy, entropy});
}

DecisionLog::Line line(std::span<const DecisionLog::Candidate> candidates) {
  DecisionLog::Line l;
  l.at_ms = 1'700'000'000'000;
  l.app = "shop";
  l.message = id(1);
  l.device_id = "d\"1";
  l.priority = Priority::high;
  l.mode = routing::Reason::exploit;
  l.propensity = 0.9;
  l.candidates = candidates;
  l.told = routing::Told::arrived;
  return l;
}

TEST(DecisionLogLines, AreWrittenInTheirFormat) {
  const std::array<DecisionLog::Candidate, 2> candidates{{{"a", 0.75}, {"b", 0.5}}};
  DecisionLog log(1);
  auto l = line(candidates);
  log.add(l);
  l.manufacturer = "Xiaomi";
  log.add(l);
  const std::string head = R"({"format":"godwit-decision/1","at_ms":1700000000000,"app":"shop","message_id":")" +
                           id(1).text() + R"(","device_id":"d\"1","priority":"high")",
                    tail = std::string(R"(,"chosen":"a","mode":"exploit","propensity":0.9,"candidates":[)") +
                           R"({"channel":"a","p":0.7500},{"channel":"b","p":0.5000}],"outcome":"arrived"})" + "\n";
  EXPECT_EQ(log.take_due(0, true), head + tail + head + R"(,"manufacturer":"Xiaomi")" + tail);
}

TEST(DecisionLogLines, AreTakenOnceASecondOrWhenThereAreMany) {
  const std::array<DecisionLog::Candidate, 1> candidates{{{"a", 0.75}}};
  DecisionLog log(1);
  EXPECT_THAT(log.take_due(5 * kNsPerSecond, true), IsEmpty());
  log.add(line(candidates));
  EXPECT_THAT(log.take_due(5 * kNsPerSecond, false), Not(IsEmpty()));
  log.add(line(candidates));
  EXPECT_THAT(log.take_due(5 * kNsPerSecond + 1, false), IsEmpty());
  EXPECT_THAT(log.take_due(6 * kNsPerSecond, false), Not(IsEmpty()));
  for (int i = 0; i < 1'000; ++i) log.add(line(candidates));
  EXPECT_THAT(log.take_due(6 * kNsPerSecond + 1, false), Not(IsEmpty()));
  log.add(line(candidates));
  EXPECT_THAT(log.take_due(6 * kNsPerSecond + 2, true), HasSubstr("outcome")) << "at the end whatever there is";
}

TEST(DecisionLogLines, AreWantedOfAShareThatIsTheSameEachTime) {
  const DecisionLog none(0), some(0.25), all(1);
  int wanted = 0;
  for (uint64_t i = 0; i < 4'000; ++i) {
    EXPECT_FALSE(none.wants(id(i), 7));
    EXPECT_TRUE(all.wants(id(i), 7));
    wanted += some.wants(id(i), 7);
    EXPECT_EQ(some.wants(id(i), 7), some.wants(id(i), 7));
  }
  EXPECT_NEAR(wanted, 1'000, 150);
}

}  // namespace
}  // namespace godwit::engine
