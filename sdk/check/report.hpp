// Prints what was found: a table for people, JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "sdk/check/test.hpp"

namespace godwit::check {

struct Finding {
  Test test;
  std::string type_id;  // of the channel; empty if the plugin could not say
  Verdict verdict;
  int64_t took_ms = 0;
};

struct Report {
  std::string plugin;
  bool only_failed = false;
  std::vector<Finding> findings;

  size_t count(Kind kind) const;
  bool is_good() const { return count(Kind::fail) + count(Kind::crash) == 0; }
};

// One line as soon as a test ended.
void print_line(const Finding& finding, bool only_failed);
void print_summary(const Report& report);
void print_json(const Report& report);

}  // namespace godwit::check
