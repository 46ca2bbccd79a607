// The list of tests. Each is a function that returns for pass and ends itself by fail, skip or warn (verdict.hpp).
#pragma once

#include <string_view>
#include <vector>

#include "sdk/check/subject.hpp"
#include "sdk/check/verdict.hpp"

namespace godwit::check {

struct Test {
  std::string_view id;        // "send-one"; the group is what stands before the first '-'
  std::string_view sentence;  // the contract in one sentence
  void (*run)(Subject&);
  int limit_s = 20;      // of real time, then the child is killed
  bool is_gate = false;  // if it fails, nothing after it can be tested

  std::string_view group() const { return id.substr(0, id.find('-')); }
};

using Tests = std::vector<Test>;

// In the order in which they run.
Tests all_tests();

void add_load_tests(Tests& tests);
void add_describe_tests(Tests& tests);
void add_config_tests(Tests& tests);
void add_life_tests(Tests& tests);
void add_send_tests(Tests& tests);
void add_time_tests(Tests& tests);
void add_lane_tests(Tests& tests);
void add_hook_tests(Tests& tests);
void add_event_tests(Tests& tests);

}  // namespace godwit::check
