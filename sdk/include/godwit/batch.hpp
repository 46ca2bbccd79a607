// Batch and Pending: messages that must each be settled exactly once, held by RAII.
//
//   for (godwit::Pending m : batch) { ...; m.settle(Outcome::accepted(id)); }
//
// A Pending may be moved into a callback, a queue or another thread and settled there. One that dies unsettled reports
// UNKNOWN with "forgotten by plugin", so a message is never lost, only reported badly. The same holds for messages of a
// batch that were not taken out of it.
//
// Pending: one owner at a time, any thread. Batch: within submit.
#pragma once

#include <utility>

#include <godwit/instance.hpp>
#include <godwit/message.hpp>

namespace godwit {
inline namespace sdk {

class [[nodiscard]] Pending {
 public:
  Pending(Instance* instance, const gw_msg* message)
      : instance_(instance), message_(message), open_(message->target_count) {}
  Pending(Pending&& other) noexcept
      : instance_(other.instance_), message_(std::exchange(other.message_, nullptr)), open_(other.open_) {}
  Pending& operator=(Pending&& other) noexcept {
    if (this != &other) {
      forget();
      instance_ = other.instance_;
      message_ = std::exchange(other.message_, nullptr);
      open_ = other.open_;
    }
    return *this;
  }
  ~Pending() { forget(); }

  // REQUIRES: is_open(). Views from it die with the settle.
  Message message() const { return Message(message_); }
  bool is_open() const { return message_ != nullptr; }

  // Ends every target that is still open.
  void settle(const Outcome& outcome) { settle(GW_ALL_TARGETS, outcome); }

  // Ends one target of several; the message is done with the last one. Settling a target twice is a defect.
  void settle(uint32_t target_index, const Outcome& outcome) {
    if (!message_) return;
    end(outcome.raw(message_->ticket, target_index));
  }

  // The same without owned strings, for channels that count nanoseconds. Fills in size and ticket.
  void settle_raw(gw_outcome outcome) {
    if (!message_) return;
    outcome.size = sizeof outcome;
    outcome.ticket = message_->ticket;
    end(outcome);
  }

 private:
  friend class SettleBuffer;

  void end(const gw_outcome& outcome) {
    open_ = outcome.target_index == GW_ALL_TARGETS ? 0 : open_ - 1;
    if (open_ == 0) message_ = nullptr;  // first: the host may free the bytes inside settle
    instance_->settle(outcome);
    if (open_ == 0) instance_->gave_back(1);
  }
  void forget() noexcept {
    if (!message_) return;
    gw_outcome o{};
    o.size = sizeof o;
    o.disposition = GW_UNKNOWN;
    o.ticket = message_->ticket;
    o.target_index = GW_ALL_TARGETS;
    o.detail = str("forgotten by plugin");
    end(o);
  }

  Instance* instance_;
  const gw_msg* message_;
  uint32_t open_;  // targets
};

// How far a batch has been taken apart; outlives the Batch, so that the edge knows what to do after an exception.
struct BatchState {
  const gw_batch* raw;
  uint32_t next = 0;
};

class Batch {
 public:
  Batch(Instance* instance, BatchState* state)
      : instance_(instance), state_(state), exceptions_(std::uncaught_exceptions()) {}
  // Cannot be kept: the array behind it is the host's and lives for this call. Keep the Pendings.
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() {
    if (std::uncaught_exceptions() > exceptions_)
      return;                       // the edge settles the rest as RETRY: they surely did not leave
    while (!empty()) (void)take();  // each dies unsettled
  }

  uint32_t size() const { return state_->raw->count - state_->next; }  // what is still inside
  bool empty() const { return size() == 0; }
  // REQUIRES: !empty()
  Pending take() { return Pending(instance_, state_->raw->msgs[state_->next++]); }

  // A range that takes the messages out one by one.
  struct Iterator {
    Batch* batch;
    Pending operator*() const { return batch->take(); }
    Iterator& operator++() { return *this; }
    bool operator!=(std::nullptr_t) const { return !batch->empty(); }
  };
  Iterator begin() { return Iterator{this}; }
  std::nullptr_t end() const { return nullptr; }

 private:
  Instance* instance_;
  BatchState* state_;
  int exceptions_;
};

}  // namespace sdk
}  // namespace godwit
