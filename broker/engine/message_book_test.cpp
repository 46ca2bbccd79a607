#include "broker/engine/message_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/intake/intake.hpp"

namespace godwit::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class MessageBookTest : public testing::Test {
 protected:
  MessageIx open(uint64_t n, const std::string& collapse_key = {}) {
    Message m;
    m.id = MessageId::make(1'700'000'000'000, 0, {n, n});
    m.app = "shop";
    m.content = "hello";
    m.collapse_key = collapse_key;
    return book.open(std::make_shared<const Message>(std::move(m)));
  }
  DeliveryIx deliver(MessageIx ix, DeviceNo device, WallMs now = 1'000) {
    const DeliveryIx dix = book.add_delivery(ix);
    book.address(dix, device, now);
    return dix;
  }
  // All has been said of it: its deliveries end, and so does the message.
  void end(MessageIx ix) {
    for (DeliveryIx i = book.message(ix).first; i != kNone; i = book.delivery(i).next)
      if (!book.delivery(i).final) book.finish(i);
    book.complete(ix);
  }
  std::vector<DeliveryIx> inbox(DeviceNo device) {
    std::vector<DeliveryIx> out;
    for (DeliveryIx i = book.newest_of(device); i != kNone; i = book.delivery(i).device_next) out.push_back(i);
    return out;
  }
  AttemptIx settled(DeliveryIx dix, ChannelNo channel, const std::string& vendor_id) {
    const AttemptIx aix = book.add_attempt(dix, channel, 1);
    auto words = boost::intrusive_ptr<VendorWords>(new VendorWords);
    words->id = vendor_id;
    book.attempt(aix).words = std::move(words);
    book.attempt(aix).phase = Attempt::Phase::settled;
    book.remember_vendor_id(aix);
    return aix;
  }
  MessageBook book;
};

TEST_F(MessageBookTest, AMessageIsFoundByItsIdAndOnlyForItsApp) {
  const MessageIx ix = open(1);
  const MessageId id = book.message(ix).message->id;
  EXPECT_EQ(book.find(id), ix);
  EXPECT_EQ(book.find("shop", id), ix);
  EXPECT_EQ(book.find("bank", id), kNone);
  EXPECT_EQ(book.find(MessageId{}), kNone);
}

TEST_F(MessageBookTest, ADeliveryIsFoundByItsDeviceHoweverManyThereAre) {
  const MessageIx few = open(1), many = open(2);
  const DeliveryIx one = deliver(few, 7);
  std::vector<DeliveryIx> of_many;
  for (DeviceNo device = 0; device < 40; ++device) of_many.push_back(deliver(many, device));
  book.add_delivery(many);  // to nobody
  EXPECT_EQ(book.find_delivery(book.message(few), 7), one);
  EXPECT_EQ(book.find_delivery(book.message(few), 8), kNone);
  for (DeviceNo device = 0; device < 40; ++device)
    EXPECT_EQ(book.find_delivery(book.message(many), device), of_many[device]);
  EXPECT_EQ(book.find_delivery(book.message(many), kNoDevice), kNone);
}

TEST_F(MessageBookTest, AnInboxHasTheNewestFirstAndItsNumbersGrowAlsoWhenTheClockGoesBack) {
  const DeliveryIx first = deliver(open(1), 7, 5'000), second = deliver(open(2), 7, 4'000);
  const DeliveryIx third = deliver(open(3), 7, 6'000);
  deliver(open(4), 8);
  EXPECT_THAT(inbox(7), ElementsAre(third, second, first));
  EXPECT_LT(book.delivery(first).inbox_seq, book.delivery(second).inbox_seq);
  EXPECT_LT(book.delivery(second).inbox_seq, book.delivery(third).inbox_seq);
  book.leave_inbox(book.delivery(second));
  book.leave_inbox(book.delivery(second));
  EXPECT_THAT(inbox(7), ElementsAre(third, first));
  book.leave_inbox(book.delivery(third));
  book.leave_inbox(book.delivery(first));
  EXPECT_THAT(inbox(7), IsEmpty());
  EXPECT_THAT(inbox(1'000'000), IsEmpty()) << "nobody has ever sent anything to it";
}

TEST_F(MessageBookTest, TheNewestOfACollapseKeyTakesThePlaceOfTheOneBeforeUnlessThatHasEnded) {
  const DeliveryIx a = deliver(open(1, "score"), 7);
  EXPECT_EQ(book.supersede(a), kNone);
  const DeliveryIx other_key = deliver(open(2, "weather"), 7), other_device = deliver(open(3, "score"), 8);
  EXPECT_EQ(book.supersede(other_key), kNone);
  EXPECT_EQ(book.supersede(other_device), kNone);
  const DeliveryIx b = deliver(open(4, "score"), 7);
  EXPECT_EQ(book.supersede(b), a);
  end(book.delivery(b).message);
  const DeliveryIx c = deliver(open(5, "score"), 7);
  EXPECT_EQ(book.supersede(c), kNone);
}

TEST_F(MessageBookTest, DroppingWhatIsQueuedLeavesTheOtherAttemptsInOrder) {
  const DeliveryIx dix = deliver(open(1), 7);
  Delivery& d = book.delivery(dix);
  std::vector<AttemptIx> attempts;
  for (uint8_t number = 1; number <= 4; ++number) {
    attempts.push_back(book.add_attempt(dix, number, number));
    ++d.live;
  }
  book.attempt(attempts[1]).phase = Attempt::Phase::in_flight;
  book.attempt(attempts[3]).phase = Attempt::Phase::in_flight;
  book.drop_queued(d);
  EXPECT_EQ(d.first_attempt, attempts[1]);
  EXPECT_EQ(book.attempt(attempts[1]).next, attempts[3]);
  EXPECT_EQ(book.last_attempt(d), attempts[3]);
  EXPECT_EQ(d.live, 2);
  EXPECT_EQ(book.attempt(attempts[0]).delivery, kNone) << "its channel's queue will see that";
  EXPECT_EQ(book.last_attempt_on(d, 2), &book.attempt(attempts[1]));
  EXPECT_EQ(book.last_attempt_on(d, 1), nullptr);
}

TEST_F(MessageBookTest, WhatIsLetGoOfIsFoundByNothing) {
  const MessageIx ix = open(1, "score");
  const MessageId id = book.message(ix).message->id;
  for (DeviceNo device = 0; device < 20; ++device) {
    const DeliveryIx dix = deliver(ix, device);
    book.supersede(dix);
    settled(dix, 3, "vendor's " + std::to_string(device));
    book.add_receipt(book.delivery(dix), {ReceiptEvent::delivered, ReceiptSource::vendor, 3, kNone, 0});
  }
  EXPECT_EQ(book.open_deliveries(), 20u);
  EXPECT_NE(book.find_by_vendor_id(3, "vendor's 4"), kNone);
  end(ix);
  EXPECT_EQ(book.open_messages(), 0u);
  EXPECT_EQ(book.finished_deliveries(), 20u);
  book.evict(20, 1 << 20);
  EXPECT_EQ(book.find(id), ix) << "there is room for it";
  book.evict(19, 1 << 20);
  EXPECT_EQ(book.find(id), kNone);
  EXPECT_EQ(book.find_by_vendor_id(3, "vendor's 4"), kNone);
  EXPECT_THAT(inbox(4), IsEmpty());
  EXPECT_EQ(book.finished_deliveries(), 0u);
  EXPECT_EQ(book.attempts().size(), 0u);
  EXPECT_EQ(book.content_bytes(), 0u);
}

TEST_F(MessageBookTest, TheOldestGoFirstButNotWhatAChannelStillHas) {
  const MessageIx with_a_channel = open(1), older = open(2), newer = open(3);
  const DeliveryIx dix = deliver(with_a_channel, 1);
  deliver(older, 2);
  deliver(newer, 3);
  ++book.delivery(dix).live;
  for (const MessageIx ix : {with_a_channel, older, newer}) end(ix);
  book.evict(2, 1 << 20);
  EXPECT_TRUE(book.messages().alive(with_a_channel));
  EXPECT_FALSE(book.messages().alive(older));
  EXPECT_TRUE(book.messages().alive(newer));
  book.evict(0, 1 << 20);
  EXPECT_TRUE(book.messages().alive(with_a_channel));
  --book.delivery(dix).live;
  book.evict(100, 1);
  EXPECT_EQ(book.messages().size(), 0u) << "too much content is a reason too";
}

TEST_F(MessageBookTest, TheHeadOfAFanOutIsDroppedAndStillCounted) {
  const MessageIx ix = open(1);
  for (DeviceNo device = 0; device < 12; ++device) deliver(ix, device);
  MessageEntry& m = book.message(ix);
  for (int i = 0; i < 2; ++i) {
    book.delivery(m.first).state = DeliveryState::delivered;
    book.finish(m.first);
    book.drop_first(ix);
  }
  EXPECT_EQ(m.deliveries, 10u);
  EXPECT_EQ(m.open, 10u);
  EXPECT_EQ((*m.dropped)[static_cast<size_t>(DeliveryState::delivered)], 2u);
  EXPECT_EQ(book.find_delivery(m, 1), kNone);
  EXPECT_NE(book.find_delivery(m, 2), kNone);
  EXPECT_THAT(inbox(0), IsEmpty());
  while (m.first != kNone) {
    book.finish(m.first);
    book.drop_first(ix);
  }
  const DeliveryIx after = deliver(ix, 50);
  EXPECT_EQ(m.first, after);
  EXPECT_EQ(m.last, after);
}

}  // namespace
}  // namespace godwit::engine
