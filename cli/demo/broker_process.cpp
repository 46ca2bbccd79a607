#include "cli/demo/broker_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "broker/base/encoding.hpp"
#include "cli/api_client.hpp"
#include "cli/demo/fleet.hpp"

#include <nlohmann/json.hpp>

namespace godwit::cli {
namespace {

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
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

std::string last_lines(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  return text.size() > 1000 ? text.substr(text.size() - 1000) : text;
}

}  // namespace

Result<void> BrokerProcess::start() {
  const std::filesystem::path program = std::filesystem::canonical("/proc/self/exe").parent_path() / "godwitd";
  if (!std::filesystem::exists(program))
    return Error{Code::not_found, program.string() + " is not there; build it with ./run.sh --build", {}};
  std::string pattern = (std::filesystem::temp_directory_path() / "godwit-demo-XXXXXX").string();
  if (!mkdtemp(pattern.data())) return Error{Code::io, "cannot make a temporary directory", pattern};
  directory_ = pattern;
  const int port = free_port();
  url_ = "http://127.0.0.1:" + std::to_string(port);
  setenv("GODWIT_SERVER_KEY", ("gws_" + to_base64url(random_bytes(18))).c_str(), 1);
  setenv("GODWIT_ADMIN_KEY", ("gwa_" + to_base64url(random_bytes(18))).c_str(), 1);
  const std::filesystem::path config = directory_ / "godwit.yaml", log = directory_ / "log";
  std::ofstream(config) << demo_config((directory_ / "data").string(), port);

  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);  // the demo may be killed
    if (getppid() != parent) _exit(1);
    const int fd = open(log.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    setpgid(0, 0);  // Ctrl-C is for the demo, which drains us afterwards
    execl(program.c_str(), "godwitd", "--config", config.c_str(), nullptr);
    _exit(127);
  }
  ApiClient api(url_, "");
  for (int i = 0; i < 200; ++i) {
    if (api.call_text("GET", "/readyz", "", "").ok()) return {};
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return Error{Code::internal, "godwitd ended at its start:\n" + last_lines(log), log.string()};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return Error{Code::unavailable, "godwitd was not ready after 10 s:\n" + last_lines(log), log.string()};
}

BrokerProcess::~BrokerProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

}  // namespace godwit::cli
