#include "broker/storage/batch.hpp"

#include <cassert>
#include <limits>

#include "broker/storage/crc32c.hpp"

namespace godwit {
namespace {

constexpr uint8_t kRaw = 0;                                           // codec: the records as they are
constexpr uint64_t kMaxOffset = std::numeric_limits<int64_t>::max();  // SQL has no unsigned integers
constexpr size_t kCrcAt = kBatchHeaderBytes - 4;                      // the checksum is the header's last field

uint32_t checksum(std::string_view batch) {
  return crc32c(batch.substr(kBatchHeaderBytes), crc32c(batch.substr(0, kCrcAt)));
}

Error damaged(std::string message) {
  return Error{Code::invalid, std::move(message), "batch"};
}

}  // namespace

void append_record(std::string& out, RecordType type, uint16_t vshard, std::string_view body, uint8_t flags) {
  ByteWriter w(out);
  w.u8(static_cast<uint8_t>(type));
  w.u8(flags);
  w.u16(vshard);
  w.str(body);
}

void encode_batch(std::string& out, const BatchHeader& header, std::string_view records) {
  assert(records.size() <= kMaxBatchBytes);
  out.clear();
  out.reserve(kBatchHeaderBytes + records.size());
  ByteWriter w(out);
  w.u32(kBatchMagic);
  w.u8(kBatchFormat);
  w.u8(kRaw);
  w.u16(0);  // reserved
  w.u64(header.stream);
  w.u64(header.epoch);
  w.u64(header.offset);
  w.u64(static_cast<uint64_t>(header.written_ms));
  w.u32(header.count);
  w.u32(static_cast<uint32_t>(records.size()));
  w.u32(0);
  w.raw(records);
  const uint32_t crc = checksum(out);
  std::memcpy(out.data() + kCrcAt, &crc, sizeof crc);
}

Result<Batch> decode_batch(std::string_view bytes) {
  if (bytes.size() < kBatchHeaderBytes) {
    return damaged("a header has 52 bytes, here are " + std::to_string(bytes.size()));
  }
  ByteReader r(bytes);
  if (r.u32() != kBatchMagic) return damaged("does not begin with GWJB");
  // The checksum comes before everything that a flipped bit could turn into another message.
  uint32_t crc;
  std::memcpy(&crc, bytes.data() + kCrcAt, sizeof crc);
  if (crc != checksum(bytes)) return damaged("the CRC-32C does not match");
  const uint8_t format = r.u8();
  if (format != kBatchFormat) {
    return Error{Code::unsupported, "format " + std::to_string(format) + " was written by a newer version", "batch"};
  }
  const uint8_t codec = r.u8();
  if (codec != kRaw) return Error{Code::unsupported, "codec " + std::to_string(codec) + " is not known", "batch"};
  r.u16();
  Batch batch;
  batch.header.stream = r.u64();
  batch.header.epoch = r.u64();
  batch.header.offset = r.u64();
  batch.header.written_ms = static_cast<WallMs>(r.u64());
  batch.header.count = r.u32();
  const uint32_t length = r.u32();
  if (length != bytes.size() - kBatchHeaderBytes) return damaged("the length does not match the bytes that are there");
  batch.records = bytes.substr(kBatchHeaderBytes);
  if (batch.header.count == 0) return damaged("holds no record");
  if (batch.header.offset > kMaxOffset - batch.header.count) return damaged("the offset is absurd");
  if (count_records(batch.records) != batch.header.count) return damaged("the records do not fill it");
  return batch;
}

std::optional<RecordView> RecordReader::next() {
  if (reader_.failed() || reader_.left() == 0) return std::nullopt;
  RecordView record{};
  record.type = static_cast<RecordType>(reader_.u8());
  record.flags = reader_.u8();
  record.vshard = reader_.u16();
  record.body = reader_.str();
  if (reader_.failed()) return std::nullopt;
  return record;
}

std::optional<uint32_t> count_records(std::string_view records) {
  RecordReader reader(records);
  uint32_t count = 0;
  while (reader.next()) ++count;  // cannot wrap: a record has 5 bytes, a batch at most 256 MiB
  if (!reader.clean()) return std::nullopt;
  return count;
}

}  // namespace godwit
