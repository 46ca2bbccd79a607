#include "tools/broker_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <sstream>

namespace godwit {
namespace {

constexpr int kStartTimeoutMs = 60'000;

std::string last_lines(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  return text.size() > 1000 ? text.substr(text.size() - 1000) : text;
}

// Where the broker tells that it is ready (sd_notify's protocol).
int notify_socket(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? fd : -1;
}

// True when READY=1 came, false when the process ended or the time was over.
bool wait_ready(int notify, pid_t pid) {
  const int ended = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  bool ready = false;
  pollfd fds[2] = {{notify, POLLIN, 0}, {ended, POLLIN, 0}};
  while (!ready && poll(fds, 2, kStartTimeoutMs) > 0 && !(fds[1].revents & POLLIN)) {
    char text[256];
    const ssize_t n = recv(notify, text, sizeof text, 0);
    ready = n > 0 && std::string_view(text, static_cast<size_t>(n)).find("READY=1") != std::string_view::npos;
  }
  close(ended);
  return ready;
}

}  // namespace

int free_tcp_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  int port = 0;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0)
    port = ntohs(address.sin_port);
  close(fd);
  return port;
}

Result<void> BrokerProcess::start(const std::function<std::string(const Place&)>& config_text) {
  const std::filesystem::path program = std::filesystem::canonical("/proc/self/exe").parent_path() / "godwitd";
  if (!std::filesystem::exists(program))
    return Error{Code::not_found, program.string() + " is not there; build it with ./run.sh --build", {}};
  std::string pattern = (std::filesystem::temp_directory_path() / "godwit-XXXXXX").string();
  if (!mkdtemp(pattern.data())) return Error{Code::io, "cannot make a temporary directory like " + pattern, pattern};
  place_ = {pattern, free_tcp_port()};
  url_ = "http://127.0.0.1:" + std::to_string(place_.http_port);
  const std::filesystem::path config = place_.directory / "godwit.yaml", log = place_.directory / "log",
                              socket_path = place_.directory / "notify";
  std::ofstream(config) << config_text(place_);
  const int notify = notify_socket(socket_path);
  if (notify < 0) return Error{Code::io, "cannot bind " + socket_path.string(), {}};

  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);  // the owner may be killed
    if (getppid() != parent) _exit(1);
    const int fd = open(log.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    setpgid(0, 0);  // Ctrl-C is for the owner, which drains us afterwards
    setenv("NOTIFY_SOCKET", socket_path.c_str(), 1);
    execl(program.c_str(), "godwitd", "--config", config.c_str(), nullptr);
    _exit(127);
  }
  const bool ready = wait_ready(notify, pid_);
  close(notify);
  if (ready) return {};
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
  return Error{Code::internal, "godwitd did not become ready:\n" + last_lines(log), log.string()};
}

BrokerProcess::~BrokerProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  if (!place_.directory.empty()) std::filesystem::remove_all(place_.directory, ignored);
}

double BrokerProcess::cpu_seconds() const {
  std::ifstream in("/proc/" + std::to_string(pid_) + "/stat");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));  // the name may hold anything
  std::string skipped;
  for (int i = 3; i <= 13; ++i) fields >> skipped;  // proc(5): utime and stime are fields 14 and 15
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / double(sysconf(_SC_CLK_TCK));
}

}  // namespace godwit
