// Table: columns for people. Widths follow what a terminal shows (UTF-8, wide East Asian characters), numbers go to the
// right, and nothing is cut: a narrow terminal wraps.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace godwit::cli {

class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  std::string text(bool color) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

size_t display_width(std::string_view utf8);  // colour sequences count nothing
std::string percent(double share);            // 0.8734 -> "87.3 %"
std::string grouped(uint64_t n);              // 1234567 -> "1,234,567"
std::string bar(double share, size_t width);  // ████▌

}  // namespace godwit::cli
