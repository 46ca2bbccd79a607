#include "broker/channels/child_check.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <string>

extern char** environ;

namespace godwit::channels {
namespace {

using Clock = std::chrono::steady_clock;

// The child's output until it closes its end; false when the time is over first.
bool read_until_closed(int fd, Clock::time_point until, std::string& out) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd waiting{fd, POLLIN, 0};
    if (left <= 0 || poll(&waiting, 1, static_cast<int>(left)) == 0) return false;
    char chunk[4096];
    const ssize_t got = read(fd, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return true;
    out.append(chunk, static_cast<size_t>(got));
    if (out.size() > 65536) out.erase(0, out.size() - 32768);
  }
}

std::string tail(const std::string& text) {
  const size_t end = text.find_last_not_of(" \n\r\t");
  if (end == std::string::npos) return "(it said nothing)";
  const size_t begin = end > 1000 ? end - 1000 : 0;
  return text.substr(begin, end + 1 - begin);
}

}  // namespace

ChildVerdict check_in_child(const std::filesystem::path& checker, const std::filesystem::path& plugin,
                            std::chrono::milliseconds patience) {
  using Kind = ChildVerdict::Kind;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {Kind::not_run, std::string("no pipe: ") + std::strerror(errno)};

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

  std::string program = checker.string(), quick = "--quick", file = plugin.string();
  char* argv[] = {program.data(), quick.data(), file.data(), nullptr};
  pid_t child = 0;
  const int fault = posix_spawn(&child, program.c_str(), &actions, &attributes, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(ends[1]);
  if (fault != 0) {
    close(ends[0]);
    return {Kind::not_run, program + " cannot be started: " + std::strerror(fault)};
  }

  std::string said;
  const bool ended = read_until_closed(ends[0], Clock::now() + patience, said);
  close(ends[0]);
  if (!ended) kill(child, SIGKILL);  // not yet reaped, so the number is still its own
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!ended) return {Kind::crashes, "loading it does not end within " + std::to_string(patience.count()) + " ms"};
  if (WIFSIGNALED(status))
    return {Kind::crashes, std::string("loading it crashes (") + strsignal(WTERMSIG(status)) + "): " + tail(said)};
  if (WEXITSTATUS(status) != 0) return {Kind::complains, "it fails the check: " + tail(said)};
  return {};
}

}  // namespace godwit::channels
