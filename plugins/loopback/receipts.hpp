// Receipts names what the vendor took and carries its receipts to the host, 64 at a time and without allocating.
//
// A receipt is named by vendor_id and also by message_id and address, copied here because the message's bytes die with
// its settle. What the host has no room for waits in an EventQueue. Lane only.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include <godwit/event_queue.hpp>
#include <godwit/message.hpp>

#include "config.hpp"

namespace loopback {

// Short text in place; what does not fit is absent.
template <size_t N>
class Inline {
 public:
  void set(std::string_view text) {
    length_ = text.size() <= N ? text.size() : 0;
    std::memcpy(bytes_, text.data(), length_);
  }
  std::string_view view() const { return length_ ? std::string_view(bytes_, length_) : std::string_view(); }

 private:
  size_t length_ = 0;
  char bytes_[N];
};

// Unique over restarts and instances: 12 digits for the run, 10 for the message.
struct VendorId {
  static constexpr size_t kLength = 22;
  char text[kLength + 1];  // one more for the suffix that makes an event id of it

  VendorId() = default;
  VendorId(uint64_t run, uint64_t number) {
    static constexpr char kDigits[] = "0123456789abcdef";
    for (int i = 0; i < 12; ++i) text[i] = kDigits[(run >> (4 * i)) & 15];
    for (int i = 0; i < 10; ++i) text[12 + i] = kDigits[(number >> (36 - 4 * i)) & 15];
    text[kLength] = 'r';
  }
  std::string_view view() const { return {text, kLength}; }
  std::string_view event_id() const { return {text, kLength + 1}; }
};

struct Receipt {
  VendorId vendor_id;
  Inline<64> message_id;
  Inline<256> address;
};

class Receipts {
 public:
  static constexpr uint32_t kBuffer = 64;
  static constexpr size_t kWaitingLimit = 100000;

  explicit Receipts(godwit::Host host) : host_(host), queue_(host, kWaitingLimit) {}

  bool is_full() const { return count_ == kBuffer; }

  // REQUIRES: !is_full()
  Receipt& add() { return buffer_[count_++]; }

  // Only after the messages were settled: the host learns the vendor_id there.
  void flush(ReceiptKind kind) {
    if (count_ == 0) return;
    gw_event events[kBuffer];
    const gw_event* list[kBuffer];
    for (uint32_t i = 0; i < count_; ++i) {
      events[i] = event(buffer_[i], kind).raw();
      list[i] = &events[i];
    }
    const gw_host& raw = host_.raw();
    if (queue_.size() > 0 || raw.event(raw.ctx, list, count_) == GW_E_BUSY)
      for (uint32_t i = 0; i < count_; ++i) queue_.send(event(buffer_[i], kind));
    count_ = 0;
  }

  godwit::EventQueue& queue() { return queue_; }

 private:
  static godwit::Event event(const Receipt& r, ReceiptKind kind) {
    godwit::Event e;
    e.kind = GW_EVENT_RECEIPT;
    e.subkind = kind == ReceiptKind::accepted ? GW_RECEIPT_ACCEPTED : GW_RECEIPT_DELIVERED;
    e.flags = kind == ReceiptKind::device ? GW_EVENT_BY_DEVICE : 0;
    e.event_id = r.vendor_id.event_id();
    e.vendor_id = r.vendor_id.view();
    e.message_id = r.message_id.view();
    e.address = r.address.view();
    return e;
  }

  godwit::Host host_;
  godwit::EventQueue queue_;
  uint32_t count_ = 0;
  Receipt buffer_[kBuffer];
};

}  // namespace loopback
