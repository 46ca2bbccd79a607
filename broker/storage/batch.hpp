// The journal's batch: a header that describes itself, then records. What is durable as a whole or not at all.
// The byte format stands in docs/formats/journal.md; writer and readers (journals, tools, the fuzzer) share this file.
//
// Decoding trusts nothing: any bytes give either a batch whose every record can be walked, or an Error that says what
// is wrong. Views point into the bytes that were given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/base/bytes.hpp"
#include "broker/base/clock.hpp"
#include "broker/base/result.hpp"
#include "broker/storage/record.hpp"

namespace godwit {

constexpr uint32_t kBatchMagic = 0x424a5747;  // "GWJB" as bytes
constexpr uint8_t kBatchFormat = 1;
constexpr size_t kBatchHeaderBytes = 52;
constexpr size_t kMaxBatchBytes = 256u << 20;  // of records; SQLite's own limit for one value is 10^9

struct BatchHeader {
  uint64_t stream = 0;  // whose journal this is: a random number made with the data directory
  uint64_t epoch = 0;   // of the opener that wrote it
  uint64_t offset = 0;  // of its first record
  uint32_t count = 0;   // records in it, at least 1
  WallMs written_ms = 0;
};

struct Batch {
  BatchHeader header;
  std::string_view records;
};

// Replaces `out` (its capacity is recycled). REQUIRES: records.size() <= kMaxBatchBytes.
void encode_batch(std::string& out, const BatchHeader& header, std::string_view records);

Result<Batch> decode_batch(std::string_view bytes);

// Walks encoded records without judging their types.
class RecordReader {
 public:
  explicit RecordReader(std::string_view records) : reader_(records) {}

  // The next record; nothing at the end or at the first malformed one.
  std::optional<RecordView> next();

  // True when every byte belonged to a whole record.
  bool clean() const { return reader_.at_end(); }

 private:
  ByteReader reader_;
};

// How many records `records` holds; nothing when it is not a concatenation of whole records.
std::optional<uint32_t> count_records(std::string_view records);

}  // namespace godwit
