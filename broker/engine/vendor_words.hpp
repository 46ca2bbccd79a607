// What a vendor answered to a send, in its own words, for people and for receipts. Kept apart from the attempts,
// because the targets of one call share it.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace godwit::engine {

// On the engine's thread only.
struct VendorWords : boost::intrusive_ref_counter<VendorWords, boost::thread_unsafe_counter> {
  static constexpr size_t kMost = 256;  // bytes of each that are kept

  std::string id, code, detail;
  int16_t http_status = 0;
};
using VendorWordsPtr = boost::intrusive_ptr<const VendorWords>;

// LastWords: the answer to one call to a thousand targets comes a thousand times, one after another, and is kept once.
class LastWords {
 public:
  // nullptr: nothing was said.
  VendorWordsPtr keep(std::string_view id, std::string_view code, std::string_view detail, int http_status);

 private:
  VendorWordsPtr last_;
};

}  // namespace godwit::engine
