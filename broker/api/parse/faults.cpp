#include "broker/api/parse/faults.hpp"

#include <algorithm>

namespace godwit {

std::string Place::pointer() const {
  if (!up_) return {};
  std::string out = up_->pointer();
  out += '/';
  if (index_ >= 0) return out += std::to_string(index_);
  for (const char c : name_) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

const ProblemKind& Faults::kind() const {
  if (malformed_) return problem_kinds::bad_request;
  const auto all = [&](std::string_view code) {
    return !list_.empty() && std::all_of(list_.begin(), list_.end(), [&](const Fault& f) { return f.code == code; });
  };
  if (all(fault_codes::too_large)) return problem_kinds::too_large;
  if (all(fault_codes::unsupported)) return problem_kinds::unsupported;
  return problem_kinds::invalid;
}

std::string Faults::summary() const {
  if (list_.empty()) return {};
  const Fault& first = list_.front();
  std::string out = first.pointer.empty() ? first.detail : first.pointer + ": " + first.detail;
  if (list_.size() > 1) out += " (and " + std::to_string(list_.size() - 1) + " more)";
  return out;
}

}  // namespace godwit
