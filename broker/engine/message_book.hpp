// MessageBook: the messages that are open or ended lately, their deliveries, attempts and receipts, and every way to
// find one of them. A delivery stands in up to three lists and indexes and four sums; here they change together, and
// whoever drives a message's life (Core's verbs) cannot leave one of them behind.
//
// What a delivery comes to (its state, timer, records, statistics) is not decided here. A number is good until its
// object is removed, and so is a reference: nothing moves. Only evict() and drop_first() remove deliveries.
//
// Engine's thread only. Nothing here fails; memory is bounded by whoever admits messages and by evict().
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "broker/engine/state.hpp"
#include "broker/engine/vendor_ids.hpp"

namespace godwit::engine {

class MessageBook {
 public:
  // ---- By number. REQUIRES: it is alive.
  MessageEntry& message(MessageIx i) { return messages_[i]; }
  const MessageEntry& message(MessageIx i) const { return messages_[i]; }
  Delivery& delivery(DeliveryIx i) { return deliveries_[i]; }
  const Delivery& delivery(DeliveryIx i) const { return deliveries_[i]; }
  Attempt& attempt(AttemptIx i) { return attempts_[i]; }
  const Attempt& attempt(AttemptIx i) const { return attempts_[i]; }
  const Receipt& receipt(ReceiptIx i) const { return receipts_[i]; }
  // Who is alive, and names that outlive their object.
  const Slab<MessageEntry>& messages() const { return messages_; }
  const Slab<Delivery>& deliveries() const { return deliveries_; }
  const Slab<Attempt>& attempts() const { return attempts_; }

  // ---- Messages
  MessageIx open(MessagePtr message);
  MessageIx find(MessageId id) const;  // kNone: unknown
  MessageIx find(std::string_view app, MessageId id) const;
  void complete(MessageIx);  // every delivery has ended, and no more will come

  // ---- Deliveries
  DeliveryIx add_delivery(MessageIx);  // at the end of the message's list
  // The device that it is for: it is found by it, and stands in the device's inbox as the newest.
  void address(DeliveryIx, DeviceNo, WallMs now);
  DeliveryIx find_delivery(const MessageEntry&, DeviceNo) const;
  // The newest delivery in the device's inbox; Delivery::device_next leads to the older ones.
  DeliveryIx newest_of(DeviceNo device) const { return device < newest_.size() ? newest_[device] : kNone; }
  void leave_inbox(Delivery&);
  // This delivery stands for its message's collapse key at its device from now on. What stood there before and has not
  // ended, or kNone. REQUIRES: the message has such a key.
  DeliveryIx supersede(DeliveryIx);
  void finish(DeliveryIx);  // it is final from now on
  // Of a fan-out: the delivery at the head of the list is let go of and only counted. REQUIRES: final, nothing of it is
  // with a channel or waits to be written.
  void drop_first(MessageIx);

  // ---- Attempts and receipts
  AttemptIx add_attempt(DeliveryIx, ChannelNo, uint8_t number);
  AttemptIx last_attempt(const Delivery&) const;
  Attempt* last_attempt_on(const Delivery&, ChannelNo);
  // Attempts that have not gone out are forgotten, as if they had never been planned. Their channel's queue still has
  // their numbers: whoever finds one there without a delivery removes it.
  void drop_queued(Delivery&);
  void remove_dropped(AttemptIx);
  void remember_vendor_id(AttemptIx aix) { vendor_ids_.remember(aix); }
  AttemptIx find_by_vendor_id(ChannelNo channel, std::string_view id) const { return vendor_ids_.find(channel, id); }
  void add_receipt(Delivery&, const Receipt&);

  // ---- How much there is
  uint64_t open_messages() const { return messages_.size() - finished_.size(); }
  uint64_t open_deliveries() const { return open_deliveries_; }
  uint64_t finished_deliveries() const { return deliveries_.size() - open_deliveries_; }
  uint64_t content_bytes() const { return content_bytes_; }
  // Lets go of complete messages, the oldest first, until no more is kept than this. One that a channel still has stays
  // for now.
  void evict(uint64_t most_finished_deliveries, uint64_t most_content_bytes);

 private:
  struct MessageAndDevice {
    MessageIx message;
    DeviceNo device;
    bool operator==(const MessageAndDevice&) const = default;
  };
  // Deliveries of messages to many devices, found by the two. The set has four bytes of each and looks the key up in
  // the delivery itself, which must therefore be taken out before it is removed.
  class ByDevice {
   public:
    using is_transparent = void;
    explicit ByDevice(const Slab<Delivery>& deliveries) : deliveries_(&deliveries) {}
    size_t operator()(MessageAndDevice key) const {
      return std::hash<uint64_t>()((static_cast<uint64_t>(key.message) << 32) | key.device);
    }
    size_t operator()(DeliveryIx i) const { return (*this)(key(i)); }
    template <class A, class B>
    bool operator()(A a, B b) const {
      return key(a) == key(b);
    }

   private:
    MessageAndDevice key(MessageAndDevice k) const { return k; }
    MessageAndDevice key(DeliveryIx i) const { return {(*deliveries_)[i].message, (*deliveries_)[i].device}; }

    const Slab<Delivery>* deliveries_;
  };

  void index(MessageEntry&, DeliveryIx);
  uint64_t collapse_key(const MessageEntry& m, const Delivery& d) const {
    return m.collapse_hash ^ (d.device * 0x9e3779b97f4a7c15ull);
  }
  bool is_with_a_channel(const MessageEntry&) const;
  void remove(MessageIx);
  void remove_delivery(const MessageEntry&, DeliveryIx);

  Slab<MessageEntry> messages_;
  Slab<Delivery> deliveries_;
  Slab<Attempt> attempts_;
  Slab<Receipt> receipts_;
  boost::unordered_flat_map<MessageId, MessageIx, MessageIdHash> by_id_;
  boost::unordered_flat_set<DeliveryIx, ByDevice, ByDevice> by_device_{0, ByDevice(deliveries_), ByDevice(deliveries_)};
  VendorIds vendor_ids_{attempts_};
  boost::unordered_flat_map<uint64_t, DeliveryIx> collapse_;  // hash of (app, key, device) -> newest
  std::vector<DeliveryIx> newest_;                            // by device: head of its inbox
  std::deque<uint64_t> finished_;                             // names of complete messages, oldest first
  uint64_t open_deliveries_ = 0, content_bytes_ = 0, inbox_seq_ = 0;
};

}  // namespace godwit::engine
