// Report is the C++ face of gw_diag: the texts that belong to one call. Cheap to copy; valid during that call only.
#pragma once

#include <string_view>

#include <godwit/result.hpp>
#include <godwit/text.hpp>

namespace godwit {
inline namespace sdk {

class Report {
 public:
  explicit Report(const gw_diag* diag) : diag_(diag) {}

  // `where` is a JSON pointer ("/key_id") or a name; the text says what is wrong and what to do.
  void error(std::string_view where, std::string_view text) {
    failed_ = true;
    put(GW_DIAG_ERROR, where, text);
  }
  void warning(std::string_view where, std::string_view text) { put(GW_DIAG_WARNING, where, text); }
  void info(std::string_view where, std::string_view text) { put(GW_DIAG_INFO, where, text); }

  bool failed() const { return failed_; }

 private:
  void put(int32_t severity, std::string_view where, std::string_view text) const {
    if (diag_ && diag_->report) diag_->report(diag_->ctx, severity, str(where), str(text));
  }
  const gw_diag* diag_;
  bool failed_ = false;
};

}  // namespace sdk
}  // namespace godwit
