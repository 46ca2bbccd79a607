#include "sdk/check/child.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace godwit::check {
namespace {

int verdict_pipe = -1;  // in the child: where the verdict goes

void write_all(int fd, const char* bytes, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, bytes, length);
    if (n <= 0) return;
    bytes += n;
    length -= static_cast<size_t>(n);
  }
}

[[noreturn]] void be_child(int pipe_end, const std::function<void()>& test) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  dup2(STDERR_FILENO, STDOUT_FILENO);  // stdout belongs to the report
  verdict_pipe = pipe_end;
  Verdict v = run_here(test);
  std::string text = std::to_string(static_cast<int>(v.kind)) + v.text;
  write_all(pipe_end, text.data(), text.size());
  _exit(0);  // no static destructors: they are the plugin's, too
}

// The child's words, or nothing more when time is up. Returns false then.
bool read_until(int fd, std::chrono::steady_clock::time_point give_up, std::string& text) {
  char buffer[4096];
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(give_up - std::chrono::steady_clock::now());
    pollfd p{fd, POLLIN, 0};
    int ready = poll(&p, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready == 0) return false;
    if (ready < 0) continue;
    ssize_t n = read(fd, buffer, sizeof buffer);
    if (n <= 0) return true;
    text.append(buffer, static_cast<size_t>(n));
  }
}

}  // namespace

const char* to_string(Kind kind) {
  static constexpr const char* kNames[] = {"pass", "warn", "skip", "fail", "crash"};
  return kNames[static_cast<int>(kind)];
}

Verdict run_here(const std::function<void()>& test) {
  try {
    test();
    return {};
  } catch (const Ended& ended) {
    return ended.verdict;
  } catch (const std::exception& e) {
    return {Kind::fail, e.what()};
  }
}

Verdict run_in_child(const std::function<void()>& test, std::chrono::milliseconds limit) {
  int ends[2];
  if (pipe(ends) != 0) return {Kind::skip, std::string("no pipe: ") + strerror(errno)};
  pid_t pid = fork();
  if (pid < 0) return {Kind::skip, std::string("no child: ") + strerror(errno)};
  if (pid == 0) {
    close(ends[0]);
    be_child(ends[1], test);
  }
  setpgid(pid, pid);  // by both: whoever comes first
  close(ends[1]);
  std::string text;
  bool ended = read_until(ends[0], std::chrono::steady_clock::now() + limit, text);
  close(ends[0]);
  kill(-pid, SIGKILL);  // also what the plugin may have started; a child that has ended does not feel it
  int status = 0;
  waitpid(pid, &status, 0);
  // A sanitizer reports while the child runs and tells by the exit code, after the verdict.
  if (!text.empty() && WIFEXITED(status) && WEXITSTATUS(status) != 0)
    return {Kind::fail,
            "a sanitizer found an error (exit code " + std::to_string(WEXITSTATUS(status)) + "), see above"};
  if (!text.empty()) return {static_cast<Kind>(text[0] - '0'), text.substr(1)};
  if (!ended) return {Kind::fail, "did not end within " + std::to_string(limit.count() / 1000) + " s and was killed"};
  if (WIFSIGNALED(status)) return {Kind::crash, strsignal(WTERMSIG(status))};
  return {Kind::crash, "ended the process with exit code " + std::to_string(WEXITSTATUS(status))};
}

void fail_from_signal(const char* text) {
  char kind = static_cast<char>('0' + static_cast<int>(Kind::fail));
  write_all(verdict_pipe, &kind, 1);
  write_all(verdict_pipe, text, strlen(text));
  _exit(0);
}

}  // namespace godwit::check
