// CRC-32C (Castagnoli), the checksum of every batch: the processor computes it (SSE4.2) where it can, a table
// otherwise.
#pragma once

#include <cstdint>
#include <string_view>

namespace godwit {

// Pass the checksum of what went before as `so_far` to continue over several pieces.
uint32_t crc32c(std::string_view bytes, uint32_t so_far = 0);

// The table version, for processors without the instruction; tests hold the two against each other.
uint32_t crc32c_portable(std::string_view bytes, uint32_t so_far = 0);

}  // namespace godwit
