// Small bridges between the plugin ABI's plain C and our types. For use inside this folder only.
#pragma once

#include <godwit/abi.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "broker/base/result.hpp"

namespace godwit::channels {

inline gw_str to_gw(std::string_view text) {
  return {text.data(), text.size()};
}
// {NULL, 0}: absent, as the ABI wants it for optional texts.
inline gw_str to_gw_or_absent(std::string_view text) {
  return text.empty() ? gw_str{nullptr, 0} : to_gw(text);
}
inline std::string_view from_gw(gw_str text) {
  return text.ptr ? std::string_view(text.ptr, text.len) : std::string_view();
}

// What a plugin says ends up in logs and JSON answers: bad UTF-8 becomes '?', and what is too long is cut.
std::string clean_text(gw_str text, size_t max_bytes);

// "GW_E_DENIED (-7)" and so on.
std::string status_text(int32_t status);
Code code_of_status(int32_t status);

// Collects what a plugin reports during one call.
class Diagnosis {
 public:
  struct Report {
    int32_t severity;
    std::string where, text;
  };
  Diagnosis();
  Diagnosis(const Diagnosis&) = delete;
  Diagnosis& operator=(const Diagnosis&) = delete;

  const gw_diag* get() const { return &diag_; }
  const std::vector<Report>& reports() const { return reports_; }
  // The errors (or, without any, everything) as one line: "/key_id: must be 10 characters; …". Empty without reports.
  std::string text() const;

 private:
  static void report(void* self, int32_t severity, gw_str where, gw_str text);
  std::vector<Report> reports_;
  gw_diag diag_{};
};

// Calls into a plugin: nothing that it throws gets past here. Every call into foreign code goes through this.
template <class F>
int32_t guard(F&& call, Diagnosis* diagnosis = nullptr) noexcept;

void report_exception(Diagnosis* diagnosis) noexcept;  // REQUIRES: inside a catch block

template <class F>
int32_t guard(F&& call, Diagnosis* diagnosis) noexcept {
  try {
    if constexpr (std::is_void_v<decltype(call())>) {
      call();
      return GW_OK;
    } else {
      return call();
    }
  } catch (...) {
    report_exception(diagnosis);
    return GW_E_INTERNAL;
  }
}

}  // namespace godwit::channels
