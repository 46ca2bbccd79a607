// godwitd: the broker. Parses the command line, handles signals, and leaves the rest to Application.
#include <signal.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>

#include "broker/app/application.hpp"
#include "broker/app/check_config.hpp"
#include "broker/app/notify.hpp"
#include "broker/observe/version.hpp"

namespace godwit {
namespace {

int exit_with(ExitCode code) {
  return static_cast<int>(code);
}

// Prints every fault; true when there is none.
bool report(const ConfigResult& result, const std::filesystem::path& file) {
  for (const ConfigFault& fault : result.faults) std::fprintf(stderr, "%s\n", fault.line_text(file).c_str());
  return result.faults.empty();
}

// All signals that we act on are taken here, on the main thread, one at a time: no handler, no races.
int serve(Application& app, const std::filesystem::path& file) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, s);
  const timespec a_moment{0, 200'000'000};
  while (true) {
    const int signal = sigtimedwait(&signals, nullptr, &a_moment);
    app.tick();
    if (app.poisoned()) return exit_with(ExitCode::store_poisoned);
    if (signal == SIGHUP) {
      const ConfigResult result = load_config(file);
      if (report(result, file))
        app.reload(result.config);
      else
        std::fprintf(stderr, "the configuration was not reloaded; the old one stays in force\n");
    }
    if (signal == SIGTERM || signal == SIGINT) {
      notify_supervisor("STOPPING=1");
      app.drain_and_stop();
      return exit_with(app.poisoned() ? ExitCode::store_poisoned : ExitCode::ok);
    }
  }
}

int run(int argc, char** argv) {
  CLI::App options{
      "godwitd is the Godwit push broker.\n"
      "SIGTERM drains and exits 0, SIGHUP reloads keys, apps and channels.\n"
      "Exit codes: 64 bad configuration, 70 store poisoned (restart at once), 75 cannot start now."};
  std::filesystem::path file;
  bool check = false;
  options.add_option("-c,--config", file, "godwit.yaml")->required();
  options.add_flag("--check-config", check, "validate the configuration, plugins included, and exit with 0 or 2");
  options.set_version_flag("--version", std::string(version()));
  try {
    options.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return options.exit(e) == 0 ? 0 : exit_with(ExitCode::usage);
  }

  ConfigResult loaded = load_config(file);
  if (loaded.faults.empty() && check) check_config(loaded);
  if (!report(loaded, file)) return exit_with(check ? ExitCode::check_failed : ExitCode::usage);
  if (check) {
    std::printf("%s: ok\n", file.c_str());
    return 0;
  }

  umask(077);  // tokens, messages and signing keys are nobody else's

  // Blocked before any thread exists, so that only sigtimedwait sees them. A vendor that closes its socket is no reason
  // to die either.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, s);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  Application app(std::move(loaded.config));
  ExitCode code = ExitCode::temporary;
  if (Result<void> started = app.start(code); !started) {
    const Error& error = started.error();
    const bool named = error.where.empty() || error.message.find(error.where) != std::string::npos;
    std::fprintf(stderr, "godwitd: %s%s\n", named ? "" : (error.where + ": ").c_str(), error.message.c_str());
    return exit_with(code);
  }
  notify_supervisor("READY=1");
  return serve(app, file);
}

}  // namespace
}  // namespace godwit

int main(int argc, char** argv) {
  return godwit::run(argc, argv);
}
