#include "cli/table.hpp"

#include <wchar.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace godwit::cli {
namespace {

// One code point at `at`; moves `at` behind it. Broken bytes count as one column each.
char32_t next_code_point(std::string_view s, size_t& at) {
  const unsigned char first = static_cast<unsigned char>(s[at++]);
  if (first < 0x80) return first;
  const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
  char32_t c = first & (0x3f >> more);
  for (int i = 0; i < more && at < s.size() && (static_cast<unsigned char>(s[at]) & 0xc0) == 0x80; ++i)
    c = c << 6 | (static_cast<unsigned char>(s[at++]) & 0x3f);
  return c;
}

void append_padded(std::string& out, const std::string& cell, size_t width, Table::Align align) {
  const size_t shown = display_width(cell);
  const std::string space(width > shown ? width - shown : 0, ' ');
  out += align == Table::Align::right ? space + cell : cell + space;
}

}  // namespace

size_t display_width(std::string_view s) {
  size_t width = 0;
  for (size_t at = 0; at < s.size();) {
    if (s[at] == '\033') {
      while (at < s.size() && s[at] != 'm') ++at;
      at += at < s.size();
      continue;
    }
    const int w = ::wcwidth(static_cast<wchar_t>(next_code_point(s, at)));
    width += w > 0 ? static_cast<size_t>(w) : 0;
  }
  return width;
}

std::string Table::text(bool color) const {
  std::vector<size_t> widths;
  for (const Column& c : columns_) widths.push_back(display_width(c.title));
  for (const auto& row : rows_)
    for (size_t i = 0; i < row.size() && i < widths.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));

  std::string out;
  const auto line = [&](const auto& cell_at) {
    std::string text;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i) text += "  ";
      append_padded(text, cell_at(i), widths[i], columns_[i].align);
    }
    while (text.ends_with(' ')) text.pop_back();
    out += text + "\n";
  };
  if (color) out += "\033[1m";
  line([&](size_t i) { return columns_[i].title; });
  if (color) out += "\033[0m";
  for (const auto& row : rows_) line([&](size_t i) { return i < row.size() ? row[i] : std::string(); });
  return out;
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", share * 100);
  return text;
}

std::string grouped(uint64_t n) {
  std::string digits = std::to_string(n);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

std::string bar(double share, size_t width) {
  static const char* const kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<size_t>(std::lround(std::clamp(share, 0.0, 1.0) * double(width) * 8));
  std::string out;
  for (size_t i = 0; i < eighths / 8; ++i) out += "█";
  out += kEighths[eighths % 8];
  return out;
}

}  // namespace godwit::cli
