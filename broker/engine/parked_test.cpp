#include "broker/engine/parked.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace godwit::engine {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class ParkedTest : public testing::Test {
 protected:
  ParkedTest() {
    Message m;
    m.id = MessageId::make(1'700'000'000'000, 0, {});
    message = book.open(std::make_shared<const Message>(std::move(m)));
  }
  DeliveryIx park() {
    const DeliveryIx dix = book.add_delivery(message);
    book.delivery(dix).wake = Wake::parked;
    parked.add(dix);
    return dix;
  }
  std::vector<DeliveryIx> take(size_t most = 100) {
    std::vector<DeliveryIx> out;
    parked.take(most, [&](DeliveryIx dix) { out.push_back(dix); });
    return out;
  }
  MessageBook book;
  MessageIx message = kNone;
  Parked parked{book};
};

TEST_F(ParkedTest, WaitUntilAChannelWakesUpAndAreThenTakenOnce) {
  const DeliveryIx a = park(), b = park();
  EXPECT_THAT(take(), IsEmpty());
  parked.wake_all();
  EXPECT_TRUE(parked.any_due());
  EXPECT_THAT(take(), UnorderedElementsAre(a, b));
  EXPECT_FALSE(parked.any_due());
  parked.wake_all();
  EXPECT_THAT(take(), IsEmpty());
}

TEST_F(ParkedTest, AreTakenLittleByLittle) {
  for (int i = 0; i < 10; ++i) park();
  parked.wake_all();
  EXPECT_THAT(take(4), SizeIs(4));
  EXPECT_TRUE(parked.any_due());
  EXPECT_THAT(take(40), SizeIs(6));
}

TEST_F(ParkedTest, WhoseLifeWentOnMeanwhileIsPassedOver) {
  const DeliveryIx ended = park(), sent = park(), still = park();
  book.finish(ended);
  book.delivery(ended).parked_listed = false;
  book.delivery(sent).live = 1;
  parked.wake_all();
  EXPECT_THAT(take(), UnorderedElementsAre(still));
}

TEST_F(ParkedTest, WhatLeftAQueueIsLookedAtNext) {
  const DeliveryIx dix = book.add_delivery(message);
  parked.add_due(dix);
  EXPECT_THAT(take(), UnorderedElementsAre(dix));
}

TEST_F(ParkedTest, TheListDoesNotGrowWithThoseThatHaveEnded) {
  for (int i = 0; i < 5'000; ++i) book.delivery(park()).parked_listed = false;
  const DeliveryIx still = park();
  parked.wake_all();
  EXPECT_THAT(take(2'000), UnorderedElementsAre(still)) << "only as many entries are looked at as are worth it";
  EXPECT_FALSE(parked.any_due());
}

}  // namespace
}  // namespace godwit::engine
