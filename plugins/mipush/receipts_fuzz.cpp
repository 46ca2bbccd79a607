// Any bytes as a callback: nothing may crash, and every receipt names a message and can be told from others.
#include <cstdlib>

#include "receipts.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto receipts = mipush::receipts_of(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!receipts) return 0;
  for (const mipush::MiReceipt& r : *receipts)
    if (r.vendor_id.empty() || r.event_id().size() <= r.vendor_id.size()) std::abort();
  return 0;
}
