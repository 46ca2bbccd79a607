#include "cli/table.hpp"

#include <gtest/gtest.h>

#include <clocale>

namespace godwit::cli {
namespace {

TEST(Table, AlignsByWhatATerminalShows) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  Table table({{"NAME"}, {"N", Table::Align::right}});
  table.row({"小米", "7"});  // two wide characters: four columns
  table.row({"é", "1,234"});
  table.row({"\033[1mbold\033[0m", ""});
  EXPECT_EQ(table.text(false), "NAME      N\n小米      7\né     1,234\n\033[1mbold\033[0m\n");
}

TEST(Table, NumbersForPeople) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
  EXPECT_EQ(percent(0.8734), "87.3 %");
  EXPECT_EQ(bar(0, 4), "");
  EXPECT_EQ(bar(0.5, 4), "██");
  EXPECT_EQ(bar(1.5, 2), "██");
}

}  // namespace
}  // namespace godwit::cli
