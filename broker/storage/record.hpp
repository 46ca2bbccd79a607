// A journal record: one durable fact. The journal knows types and bytes; what the body says is known to the module that
// owns the type. Unknown types are kept and skipped, so that an older broker can read a newer journal.
// The byte format stands in docs/formats/journal.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace godwit {

enum class RecordType : uint8_t {
  accept = 1,      // a message was accepted                     body: message/records.hpp
  registry = 2,    // a device, topic or token changed           body: registry/
  intent = 3,      // about to call a costly channel             body: message/records.hpp
  outcome = 4,     // what became of an attempt, or a final state
  receipt = 5,     // a receipt for a message and device
  cancel = 6,      // a message was cancelled
  cursor = 7,      // how far a fan-out to many devices has come
  carry = 8,       // an open message with its progress, re-appended so that old segments can be dropped
  checkpoint = 9,  // replay may start at the offset that the body names
};

// Where a record lies: the batch's offset in the stream and the place inside the batch.
struct RecordRef {
  uint64_t offset = 0;
  uint32_t index = 0;
  auto operator<=>(const RecordRef&) const = default;
};

// A record as replay hands it out; `body` is valid during the call only.
struct RecordView {
  RecordType type;
  uint8_t flags = 0;
  uint16_t vshard = 0;
  std::string_view body;
};

// Appends one encoded record (type, flags, vshard, length, body) to `out`: the unit that goes into a batch.
void append_record(std::string& out, RecordType type, uint16_t vshard, std::string_view body, uint8_t flags = 0);

}  // namespace godwit
