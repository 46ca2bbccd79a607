// How godwitd ends, for supervisors (docs/operations.md has the table for people).
#pragma once

namespace godwit {

enum class ExitCode : int {
  ok = 0,
  check_failed = 2,     // --check-config found faults
  usage = 64,           // bad configuration or command line: restarting does not help
  store_poisoned = 70,  // a write ended unknown: restart at once, the replay finds out
  fenced = 71,          // another owner took over: restart at once
  temporary = 75,       // cannot start now (port, lock, directory): restart with back-off
};

}  // namespace godwit
