// Whatever the bytes are, decoding a batch ends in an error or in records that can be walked and encoded again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "broker/storage/batch.hpp"
#include "broker/storage/crc32c.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::string encode_again(std::string_view records, uint32_t* count) {
  std::string again;
  godwit::RecordReader reader(records);
  for (*count = 0; const auto record = reader.next(); ++*count) {
    godwit::append_record(again, record->type, record->vshard, record->body, record->flags);
  }
  return again;
}

void check(std::string_view bytes) {
  const auto batch = godwit::decode_batch(bytes);
  if (!batch) {
    require(!batch.error().message.empty());
    return;
  }
  uint32_t count = 0;
  std::string bytes_again;
  const std::string records = encode_again(batch->records, &count);
  require(count == batch->header.count && count > 0);
  godwit::encode_batch(bytes_again, batch->header, records);
  const auto again = godwit::decode_batch(bytes_again);  // the same, though perhaps with shorter lengths
  require(again.ok() && again->header.offset == batch->header.offset && again->header.count == count);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  check(bytes);
  if (size >= godwit::kBatchHeaderBytes) {  // no fuzzer guesses a checksum: give it one
    const uint32_t crc =
        godwit::crc32c(std::string_view(bytes).substr(godwit::kBatchHeaderBytes),
                       godwit::crc32c(std::string_view(bytes).substr(0, godwit::kBatchHeaderBytes - 4)));
    std::memcpy(bytes.data() + godwit::kBatchHeaderBytes - 4, &crc, 4);
    check(bytes);
  }
  // The input as bare records.
  const auto count = godwit::count_records({reinterpret_cast<const char*>(data), size});
  uint32_t walked = 0;
  encode_again({reinterpret_cast<const char*>(data), size}, &walked);
  require(!count || *count == walked);
  return 0;
}
