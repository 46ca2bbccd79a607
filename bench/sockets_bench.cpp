// sockets: what the kernel alone costs to send a message to each of thousands of devices and to hear each acknowledge
// it, by epoll and by io_uring. No MQTT, no broker: this is the floor under longconn, and why the gateway uses epoll.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>

#include "bench/longconn/target.hpp"
#include "bench/longconn/uring.hpp"
#include "bench/support/report.hpp"

namespace {

using namespace godwit::bench;
using nlohmann::json;

constexpr size_t kMessage = 220, kAck = 4;  // PUBLISH of longconn's content with its envelope; PUBACK
constexpr size_t kWindow = 2000;            // messages that are not acknowledged
constexpr size_t kBatch = 500;

struct Options {
  size_t devices = 7'000;
  uint64_t messages = 400'000;
  int rounds = 3;
  bool quick = false, json = false;
};

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

double thread_cpu_s() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

void watch(int epoll, int fd, uint64_t name) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = name;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

// The devices, in a process of their own: acknowledge whatever comes, until the server is gone.
int run_devices(uint16_t port, size_t count) {
  const int epoll = epoll_create1(0);
  std::vector<int> fds;
  std::vector<size_t> rest(count);
  for (size_t i = 0; i < count; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) die("connect");
    watch(epoll, fd, i);
    fds.push_back(fd);
  }
  std::array<epoll_event, 512> events;
  std::array<char, 16 * 1024> room;
  for (;;) {
    const int n = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int e = 0; e < n; ++e) {
      const size_t i = events[static_cast<size_t>(e)].data.u64;
      const ssize_t got = recv(fds[i], room.data(), room.size(), MSG_DONTWAIT);
      if (got == 0) return 0;
      if (got < 0) continue;
      rest[i] += static_cast<size_t>(got);
      for (; rest[i] >= kMessage; rest[i] -= kMessage) send(fds[i], "\x40\x02\x00\x01", kAck, MSG_NOSIGNAL);
    }
  }
}

// Messages in turn to all, at most kWindow unacknowledged. Loop: queue(device) for each of a batch; wait() -> acks'
// bytes.
template <class Queue, class Wait>
void exchange(const Options& options, Queue queue, Wait wait) {
  uint64_t sent = 0, heard = 0;
  while (heard < options.messages * kAck) {
    const uint64_t open = sent - heard / kAck;
    const uint64_t batch =
        std::min<uint64_t>({kBatch, kWindow - std::min<uint64_t>(open, kWindow), options.messages - sent});
    for (uint64_t i = 0; i < batch; ++i, ++sent) queue(sent % options.devices);
    heard += wait();
  }
}

const std::array<char, kMessage> kBytes{};

void by_epoll(const std::vector<int>& fds, const Options& options) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  for (size_t i = 0; i < fds.size(); ++i) watch(epoll, fds[i], i);
  std::array<epoll_event, 512> events;
  std::array<char, 4096> room;
  exchange(
      options, [&](size_t device) { send(fds[device], kBytes.data(), kMessage, MSG_NOSIGNAL | MSG_DONTWAIT); },
      [&] {
        uint64_t heard = 0;
        const int n = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
        for (int e = 0; e < n; ++e) {
          const ssize_t got =
              recv(fds[events[static_cast<size_t>(e)].data.u64], room.data(), room.size(), MSG_DONTWAIT);
          if (got > 0) heard += static_cast<uint64_t>(got);
        }
        return heard;
      });
  close(epoll);
}

bool by_uring(const std::vector<int>& fds, const Options& options) {
  Uring ring;
  if (!ring.open(1024, 4096, 64)) return false;
  for (size_t i = 0; i < fds.size(); ++i) ring.receive(fds[i], i);
  exchange(
      options, [&](size_t device) { ring.send(fds[device], kBytes.data(), kMessage); },
      [&] {
        uint64_t heard = 0;
        ring.submit_and_wait();
        ring.completions([&](uint64_t name, int32_t result, bool is_armed) {
          if (name == Uring::kSend) die("a send failed");
          if (result > 0) heard += static_cast<uint64_t>(result);
          if (!is_armed) ring.receive(fds[name], name);
        });
        return heard;
      });
  return true;
}

struct Devices {
  explicit Devices(size_t count) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (bind(listener, reinterpret_cast<sockaddr*>(&at), size) != 0 || listen(listener, 4096) != 0) die("listen");
    getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size);
    pid = spawn({"/proc/self/exe", "--devices", std::to_string(ntohs(at.sin_port)), std::to_string(count)});
    const int one = 1;
    for (size_t i = 0; i < count; ++i) {
      fds.push_back(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
      if (fds.back() < 0) die("accept");
      setsockopt(fds.back(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    close(listener);
  }
  ~Devices() {
    for (int fd : fds) close(fd);
    end(pid);
  }
  std::vector<int> fds;
  pid_t pid;
};

template <class Run>
json measure(const Options& options, Run run) {
  std::vector<double> per_s, per_cpu_s;
  for (int round = 0; round < options.rounds; ++round) {
    Devices devices(options.devices);
    const double cpu = thread_cpu_s();
    const auto begun = std::chrono::steady_clock::now();
    if (!run(devices.fds)) return nullptr;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    per_s.push_back(static_cast<double>(options.messages) / seconds);
    per_cpu_s.push_back(static_cast<double>(options.messages) / (thread_cpu_s() - cpu));
  }
  return {{"messages_per_s", median(per_s)}, {"messages_per_cpu_s", median(per_cpu_s)}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "--devices")
    return run_devices(static_cast<uint16_t>(std::stoi(argv[2])), std::stoul(argv[3]));
  Options options;
  CLI::App app{"The kernel's cost of a message to each of many sockets and its acknowledgement: epoll and io_uring."};
  app.add_option("--devices-count", options.devices)->capture_default_str();
  app.add_option("--messages", options.messages)->capture_default_str();
  app.add_option("--rounds", options.rounds)->capture_default_str();
  app.add_flag("--quick", options.quick);
  app.add_flag("--json", options.json);
  CLI11_PARSE(app, argc, argv);
  if (options.quick) options.messages = 100'000, options.rounds = 1;

  json epoll = measure(options, [&](const std::vector<int>& fds) { return by_epoll(fds, options), true; });
  json uring = measure(options, [&](const std::vector<int>& fds) { return by_uring(fds, options); });
  epoll["name"] = "epoll, one send and one recv a message";
  json report{{"bench", "sockets"}, {"machine", machine()}, {"devices", options.devices}, {"godwit", epoll}};
  if (uring.is_null()) {
    report["peer"] = {{"name", "io_uring: not on this kernel"}};
  } else {
    report["ratio"] = epoll["messages_per_cpu_s"].get<double>() / uring["messages_per_cpu_s"].get<double>();
    uring["name"] = "io_uring, batched sends and receives that stay armed";
    report["peer"] = uring;
  }
  print(report, options.json);
  return 0;
}
