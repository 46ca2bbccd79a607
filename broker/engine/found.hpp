// Found: a message put together from its journal records, in their order; the last word about each delivery wins.
// For recovery, which reopens it, and for history, which only shows it.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <optional>
#include <string>
#include <vector>

#include "broker/engine/broker.hpp"
#include "broker/engine/state.hpp"
#include "broker/message/records.hpp"
#include "broker/registry/registry.hpp"
#include "broker/storage/record.hpp"

namespace godwit::engine {

struct Found {
  Message message;
  uint64_t position = 0;  // of its ACCEPT or last CARRY
  bool accepted = false;  // one of these was seen
  bool planned = false, cancelled = false;
  std::optional<records::Cursor> cursor;
  DeviceNo base = 1;  // of a fan-out: devices below it that are not listed have ended
  std::vector<uint64_t> dropped;
  boost::unordered_flat_map<std::string, records::Progress, StringHash, std::equal_to<>> deliveries;  // by device id
  std::vector<records::Intent> intents;

  // Takes any record of this message. False: it could not be read, nothing changed.
  bool fold(uint64_t position, const RecordView& record);
  // A call over a costly channel was about to be made, and no record says what became of it.
  bool costly_unclear(const records::Progress& progress) const;

  // Where a delivery stands in `deliveries`: its device id, or the audience's name that nobody answered to.
  static std::string key_of(const records::Progress& p) { return p.device_id.empty() ? '\0' + p.name : p.device_id; }

 private:
  bool fold_carry(uint64_t position, std::string_view body);
  bool fold_receipt(std::string_view body);
  records::Progress& delivery_of(const std::string& device_id);
};

// The state that a delivery has reached, its receipts considered.
DeliveryState reached(const records::Progress& progress);
// Counts one delivery, or `n` that ended alike and whose attempts are not known any more.
void count(MessageCounts& counts, const records::Progress& progress);
void count(MessageCounts& counts, DeliveryState state, uint64_t n);

void count(MessageView::Recalls& recalls, Reason reason);

MessageView show(const Found& found);
DeliveryView show(const Found& found, const records::Progress& progress);

std::string status_of(const MessageCounts& counts, bool planned, bool cancelled);

}  // namespace godwit::engine
