#include "form.hpp"

#include <algorithm>
#include <cstdint>

namespace mipush {
namespace {

constexpr bool is_safe(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
         c == '.' || c == '*';
}

void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (is_safe(c)) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decoded(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (size_t i = 0; i < value.size(); ++i) {
    const int high = value[i] == '%' && i + 2 < value.size() ? digit(value[i + 1]) : -1;
    const int low = high >= 0 ? digit(value[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += value[i] == '+' ? ' ' : value[i];
    }
  }
  return out;
}

}  // namespace

void Form::put(std::string_view name, std::string value) {
  const auto at = std::find_if(fields_.begin(), fields_.end(), [&](const auto& f) { return f.first == name; });
  if (at == fields_.end())
    fields_.emplace_back(name, std::move(value));
  else
    at->second = std::move(value);
}

const std::string* Form::find(std::string_view name) const {
  const auto at = std::find_if(fields_.begin(), fields_.end(), [&](const auto& f) { return f.first == name; });
  return at == fields_.end() ? nullptr : &at->second;
}

std::string Form::encoded() const {
  std::string out;
  for (const auto& [name, value] : fields_) append_field(out, name, value);
  return out;
}

size_t Form::bytes() const {
  size_t n = 0;
  for (const auto& [name, value] : fields_) n += name.size() + value.size();
  return n;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  if (!out.empty()) out += '&';
  append_escaped(out, name);
  out += '=';
  append_escaped(out, value);
}

std::optional<std::string> field_of(std::string_view encoded, std::string_view name) {
  for (size_t at = 0; at <= encoded.size();) {
    const size_t end = std::min(encoded.find('&', at), encoded.size());
    const std::string_view field = encoded.substr(at, end - at);
    const size_t equals = field.find('=');
    if (equals != std::string_view::npos && decoded(field.substr(0, equals)) == name)
      return decoded(field.substr(equals + 1));
    at = end + 1;
  }
  return std::nullopt;
}

}  // namespace mipush
