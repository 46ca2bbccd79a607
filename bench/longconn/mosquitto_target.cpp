#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "bench/longconn/target.hpp"
#include "tools/broker_process.hpp"

namespace godwit::bench {
namespace {

// Until somebody listens there.
void wait_for(int port) {
  for (int i = 0; i < 500; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool is_up = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    if (is_up) return;
    usleep(10'000);
  }
  std::fprintf(stderr, "longconn: mosquitto does not listen; is it installed (apt install mosquitto)?\n");
  std::exit(1);
}

// Anonymous, so it is spared the check of credentials; limits that would hold a single publisher back are lifted.
class MosquittoTarget final : public Target {
 public:
  MosquittoTarget() : directory_(temporary_directory()), port_(free_tcp_port()), tls_port_(free_tcp_port()) {
    make_certificate(directory_);
    std::filesystem::permissions(directory_, std::filesystem::perms::all);  // started by root, it becomes another user
    std::filesystem::permissions(directory_ + "/key.pem", std::filesystem::perms::all);
    const std::string file = directory_ + "/mosquitto.conf";
    std::ofstream(file) << "listener " << port_ << " 127.0.0.1\nlistener " << tls_port_ << " 127.0.0.1\ncertfile "
                        << directory_ << "/cert.pem\nkeyfile " << directory_
                        << "/key.pem\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
                           "max_inflight_messages 0\nmax_queued_messages 0\nlog_type error\nlog_dest stderr\n";
    pid_ = spawn({"/usr/sbin/mosquitto", "-c", file});
    wait_for(port_);
  }
  ~MosquittoTarget() override {
    end(pid_);
    std::filesystem::remove_all(directory_);
  }
  int port(bool is_tls) const override { return is_tls ? tls_port_ : port_; }
  pid_t pid() const override { return pid_; }
  std::vector<Swarm::Login> logins(size_t count) override {
    std::vector<Swarm::Login> all;
    for (size_t i = 0; i < count; ++i) all.push_back({"d" + std::to_string(i), {}, {}});
    return all;
  }
  void prepare(Swarm& swarm) override { swarm.subscribe("inbox/"); }
  void push(Swarm& swarm, size_t devices, uint64_t count, double per_second) override {
    swarm.feed({count, 2000, per_second, [devices](uint64_t n) { return "inbox/d" + std::to_string(n % devices); }});
  }

 private:
  const std::string directory_;
  const int port_, tls_port_;
  pid_t pid_ = -1;
};

}  // namespace

std::unique_ptr<Target> make_mosquitto() {
  return std::make_unique<MosquittoTarget>();
}

}  // namespace godwit::bench
