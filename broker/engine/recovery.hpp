// Recovery: from the journal back to open messages.
//
// Reads once, from the oldest record that still matters. Records before the replay position only tell idempotency keys;
// from there on messages are put together in memory, the last word about each delivery winning, and at the end every
// message is opened in the order in which it was accepted. What had no final outcome is planned again, so a send may be
// repeated; a costly call with an INTENT and no outcome is not: it waits for the vendor's report.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/engine/catalogue_keys.hpp"
#include "broker/engine/core.hpp"
#include "broker/engine/found.hpp"

namespace godwit::engine {

class Recovery {
 public:
  explicit Recovery(Core& core) : core_(core) {}
  Result<RecoveryReport> run();

 private:
  Result<void> check_the_journal_reaches(uint64_t seen) const;
  Result<void> restore_router();
  uint64_t start_of_keys(uint64_t replay_from) const;
  void read_key(const RecordView& record);
  void read(RecordRef ref, const RecordView& record);

  void reopen(Found& found);
  void reopen_fanout(MessageIx ix, Found& found);
  void restore_delivery(MessageIx ix, DeviceNo device, const records::Progress& progress, const Found& found);
  void restore_attempts(DeliveryIx dix, const records::Progress& progress);
  void resume(DeliveryIx dix, bool costly_unclear);
  uint32_t presence_mask() const;
  ChannelNo channel_of(std::string_view name) const;

  Core& core_;
  RecoveryReport report_;
  std::unordered_map<MessageId, Found, MessageIdHash> found_;
};

}  // namespace godwit::engine
