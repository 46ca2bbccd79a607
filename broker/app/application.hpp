// Application: one broker process, from its configuration to its end. It only wires: every rule lives in a module.
//
// Order of start, each step one clear error: data directory -> journal and catalogue -> credential keys -> plugins ->
// recovery -> channels -> HTTP. The end goes backwards: no new requests, no new messages, what is out comes home, then
// the last commit. Owned and driven by the main thread.
#pragma once

#include <memory>
#include <string>

#include "broker/app/config.hpp"
#include "broker/app/exit_code.hpp"

namespace godwit {

class Application {
 public:
  explicit Application(Config config);
  ~Application();

  Result<void> start(ExitCode& code);  // on an error `code` says how to end

  // SIGHUP: keys, allow lists, apps and channels, whose part goes on after this returns. What needs a restart is said in
  // the log.
  void reload(const Config& config);

  // Called a few times a second by the main thread: watches the disk's room. Below 5 % free the ballast goes, so that
  // outcomes can still be written, and no message is taken; all of it comes back by itself.
  void tick();

  bool poisoned() const;

  // SIGTERM: finishes what is out within limits.drain, then ends everything.
  void drain_and_stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace godwit
