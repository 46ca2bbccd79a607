#include "broker/channels/open_recalls.hpp"

#include <gtest/gtest.h>

#include "broker/channels/abi_text.hpp"

namespace godwit::channels {
namespace {

class OpenRecallsTest : public testing::Test {
 protected:
  void* open(int i) {
    return recalls.open([this, i](RecallAnswer a) { answers.emplace_back(i, std::move(a)); });
  }
  ManualClock clock;
  Misbehaviour misbehaviour{"mi", clock};
  OpenRecalls recalls{misbehaviour};
  std::vector<std::pair<int, RecallAnswer>> answers;
};

TEST_F(OpenRecallsTest, EachIsAnsweredOnceAndWithTheVendorsWords) {
  void* first = open(1);
  void* second = open(2);
  OpenRecalls::on_done(second, GW_E_NOT_FOUND, to_gw("message id not found"));
  OpenRecalls::on_done(first, GW_OK, {});
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].first, 2);
  EXPECT_EQ(answers[0].second.end, RecallEnd::too_late);
  EXPECT_EQ(answers[0].second.detail, "message id not found");
  EXPECT_EQ(answers[1].second.end, RecallEnd::taken);
  EXPECT_EQ(misbehaviour.total(), 0u);
}

TEST_F(OpenRecallsTest, ASecondAnswerIsAMisbehaviourAndNotHeard) {
  void* arg = open(1);
  OpenRecalls::on_done(arg, GW_OK, {});
  OpenRecalls::on_done(arg, GW_OK, {});
  EXPECT_EQ(answers.size(), 1u);
  EXPECT_EQ(misbehaviour.total(), 1u);
}

TEST_F(OpenRecallsTest, WhatThePluginNeverAnsweredEndsWithIt) {
  void* arg = open(1);
  open(2);
  OpenRecalls::on_done(arg, GW_E_BUSY, {});
  recalls.end_all({RecallEnd::refused, "the channel has stopped"});
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].second.end, RecallEnd::later);
  EXPECT_EQ(answers[1].second.end, RecallEnd::refused);
  EXPECT_EQ(answers[1].second.detail, "the channel has stopped");
}

}  // namespace
}  // namespace godwit::channels
