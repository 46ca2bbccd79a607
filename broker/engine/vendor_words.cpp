#include "broker/engine/vendor_words.hpp"

namespace godwit::engine {

VendorWordsPtr LastWords::keep(std::string_view id, std::string_view code, std::string_view detail, int http_status) {
  const auto status = static_cast<int16_t>(http_status);
  if (id.empty() && code.empty() && detail.empty() && status == 0) return nullptr;
  id = id.substr(0, VendorWords::kMost);
  code = code.substr(0, VendorWords::kMost);
  detail = detail.substr(0, VendorWords::kMost);
  if (!last_ || last_->http_status != status || last_->id != id || last_->code != code || last_->detail != detail) {
    auto words = boost::intrusive_ptr<VendorWords>(new VendorWords);
    words->id = id;
    words->code = code;
    words->detail = detail;
    words->http_status = status;
    last_ = std::move(words);
  }
  return last_;
}

}  // namespace godwit::engine
