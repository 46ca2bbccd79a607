#include "broker/api/parse/json_spans.hpp"

#include <cstring>

namespace godwit {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

}  // namespace

JsonSpans::JsonSpans(std::string_view object) : text_(object) {
  skip_space();
  if (at_ < text_.size() && text_[at_] == '{')
    ++at_;
  else
    at_ = text_.size();
}

void JsonSpans::skip_space() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}

bool JsonSpans::skip_string() {
  if (at_ >= text_.size() || text_[at_] != '"') return false;
  ++at_;
  while (true) {
    const void* quote = std::memchr(text_.data() + at_, '"', text_.size() - at_);
    if (!quote) return false;
    const size_t end = static_cast<size_t>(static_cast<const char*>(quote) - text_.data());
    size_t backslashes = 0;
    while (end - backslashes > at_ && text_[end - backslashes - 1] == '\\') ++backslashes;
    at_ = end + 1;
    if (backslashes % 2 == 0) return true;
  }
}

bool JsonSpans::skip_value() {
  if (at_ >= text_.size()) return false;
  if (text_[at_] == '"') return skip_string();
  if (text_[at_] != '{' && text_[at_] != '[') {
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '}' && text_[at_] != ']' && !is_space(text_[at_]))
      ++at_;
    return true;
  }
  size_t depth = 0;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      if (!skip_string()) return false;
      continue;
    }
    ++at_;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return true;
  }
  return false;
}

bool JsonSpans::next(std::string_view& key, std::string_view& value) {
  skip_space();
  if (at_ < text_.size() && text_[at_] == ',') {
    ++at_;
    skip_space();
  }
  const size_t key_at = at_;
  if (!skip_string()) return false;
  key = text_.substr(key_at, at_ - key_at);
  skip_space();
  if (at_ >= text_.size() || text_[at_] != ':') return false;
  ++at_;
  skip_space();
  const size_t value_at = at_;
  if (!skip_value()) return false;
  value = text_.substr(value_at, at_ - value_at);
  return true;
}

void append_minified(std::string& out, std::string_view json) {
  bool in_string = false;
  size_t from = 0;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (is_space(c)) {
      out.append(json.substr(from, i - from));
      from = i + 1;
    }
  }
  if (from < json.size()) out.append(json.substr(from));
}

}  // namespace godwit
