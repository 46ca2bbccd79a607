// How long a client certificate is still good: Apple's end after a year (apns.md §2.2), and a channel that dies at
// midnight on its anniversary should have said so before.
#pragma once

#include <cstdint>
#include <string_view>

#include <godwit/result.hpp>

namespace apns {

// Whole days until the first certificate in `pem` ends, seen from `now_wall_ms`; negative: it has ended.
godwit::Result<int64_t> days_left(std::string_view pem, uint64_t now_wall_ms);

}  // namespace apns
