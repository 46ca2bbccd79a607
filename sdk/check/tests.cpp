#include "sdk/check/test.hpp"

namespace godwit::check {

Tests all_tests() {
  Tests tests;
  add_load_tests(tests);
  add_describe_tests(tests);
  add_config_tests(tests);
  add_life_tests(tests);
  add_send_tests(tests);
  add_time_tests(tests);
  add_lane_tests(tests);
  add_hook_tests(tests);
  add_event_tests(tests);
  return tests;
}

}  // namespace godwit::check
