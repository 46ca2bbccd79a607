#include "broker/channels/abi_text.hpp"

#include <array>
#include <exception>

#include "broker/base/encoding.hpp"

namespace godwit::channels {
namespace {

struct StatusName {
  int32_t status;
  const char* name;
  Code code;
};
constexpr std::array<StatusName, 12> kStatuses{{{GW_E_INVALID, "GW_E_INVALID", Code::invalid},
                                                {GW_E_STATE, "GW_E_STATE", Code::internal},
                                                {GW_E_CLOSED, "GW_E_CLOSED", Code::unavailable},
                                                {GW_E_BUSY, "GW_E_BUSY", Code::overloaded},
                                                {GW_E_INTERNAL, "GW_E_INTERNAL", Code::internal},
                                                {GW_E_UNSUPPORTED, "GW_E_UNSUPPORTED", Code::unsupported},
                                                {GW_E_DENIED, "GW_E_DENIED", Code::forbidden},
                                                {GW_E_TIMEOUT, "GW_E_TIMEOUT", Code::unavailable},
                                                {GW_E_IO, "GW_E_IO", Code::io},
                                                {GW_E_NEEDS_RESTART, "GW_E_NEEDS_RESTART", Code::unsupported},
                                                {GW_E_NOT_FOUND, "GW_E_NOT_FOUND", Code::not_found},
                                                {GW_E_CONFLICT, "GW_E_CONFLICT", Code::conflict}}};

// The largest cut that does not end inside a UTF-8 sequence.
size_t cut(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text.size();
  while (max_bytes > 0 && (static_cast<unsigned char>(text[max_bytes]) & 0xc0) == 0x80) --max_bytes;
  return max_bytes;
}

}  // namespace

std::string clean_text(gw_str raw, size_t max_bytes) {
  const std::string_view text = from_gw(raw);
  std::string out(text.substr(0, cut(text, max_bytes)));
  if (!is_valid_utf8(out))
    for (char& c : out)
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  return out;
}

std::string status_text(int32_t status) {
  for (const StatusName& s : kStatuses)
    if (s.status == status) return std::string(s.name) + " (" + std::to_string(status) + ")";
  return std::to_string(status);
}

Code code_of_status(int32_t status) {
  for (const StatusName& s : kStatuses)
    if (s.status == status) return s.code;
  return Code::internal;
}

Diagnosis::Diagnosis() {
  diag_.size = sizeof diag_;
  diag_.ctx = this;
  diag_.report = &Diagnosis::report;
}

void Diagnosis::report(void* self, int32_t severity, gw_str where, gw_str text) {
  auto& reports = static_cast<Diagnosis*>(self)->reports_;
  if (reports.size() < 100) reports.push_back({severity, clean_text(where, 256), clean_text(text, 1024)});
}

std::string Diagnosis::text() const {
  bool has_error = false;
  for (const Report& r : reports_) has_error |= r.severity >= GW_DIAG_ERROR;
  std::string out;
  for (const Report& r : reports_) {
    if (has_error && r.severity < GW_DIAG_ERROR) continue;
    if (!out.empty()) out += "; ";
    if (!r.where.empty()) out += r.where + ": ";
    out += r.text;
  }
  return out;
}

void report_exception(Diagnosis* diagnosis) noexcept {
  try {
    std::string text = "threw something that is no std::exception";
    try {
      throw;
    } catch (const std::exception& e) {
      text = std::string("threw: ") + e.what();
    } catch (...) {
    }
    if (diagnosis) diagnosis->get()->report(diagnosis->get()->ctx, GW_DIAG_ERROR, {}, to_gw(text));
  } catch (...) {  // out of memory: the status alone must do
  }
}

}  // namespace godwit::channels
