#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <thread>

#include "bench/longconn/target.hpp"
#include "broker/channels/plugin_host.hpp"
#include "broker/registry/credential.hpp"
#include "tools/broker_process.hpp"

namespace godwit::bench {
namespace {

const std::string kSecret(CredentialSigner::kSecretBytes, 's');

std::string program() {
  return std::filesystem::canonical("/proc/self/exe").string();
}

class CountingSink final : public ChannelSink {
 public:
  void settled(std::vector<Settlement> settlements) override {
    std::lock_guard lock(mutex_);
    changed_.notify_one();
    for (const Settlement& s : settlements)
      if (s.disposition != Disposition::delivered)
        std::fprintf(stderr, "longconn: settled as %s: %s\n", std::string(to_string(s.disposition)).c_str(),
                     s.detail.c_str());
  }
  bool events(std::vector<ChannelEvent>) override { return true; }
  void room(ChannelNo) override {
    std::lock_guard lock(mutex_);
    changed_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(1));
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

std::shared_ptr<Parcel> make_parcel(uint64_t number, const std::string& address, MonoNs deadline, uint64_t due) {
  auto message = std::make_shared<Message>();
  message->app = "bench";
  message->content = stamped_content(due);
  auto parcel = std::make_shared<Parcel>();
  parcel->cookie = number;
  parcel->message = std::move(message);
  parcel->message_id_text = "01JD000000000000" + std::to_string(1'000'000'000 + number);
  parcel->deadline_ns = deadline;
  parcel->ttl_ms = 60'000;
  parcel->targets.push_back({address, "user", {}});
  return parcel;
}

void push_all(channels::PluginHost& host, CountingSink& sink, const SystemClock& clock,
              const std::vector<std::string>& addresses, uint64_t count, double per_second) {
  static uint64_t number = 0;
  const MonoNs begun = clock.mono_ns();
  const auto first = Swarm::Clock::now();
  for (uint64_t done = 0; done < count;) {
    const MonoNs now = clock.mono_ns();
    uint64_t due = count - done;
    if (per_second > 0) {
      const auto by_now = static_cast<uint64_t>(static_cast<double>(now - begun) / 1e9 * per_second) + 1;
      due = std::min(count, by_now) - std::min(done, by_now);
    }
    const uint64_t credit = std::min<uint64_t>({host.credit(0, now), due, 1000});
    if (credit == 0) {
      if (due == 0)
        usleep(100);
      else
        sink.wait();
      continue;
    }
    std::vector<std::shared_ptr<const Parcel>> batch;
    for (uint64_t i = 0; i < credit; ++i, ++number)
      batch.push_back(make_parcel(number, addresses[number % addresses.size()], now + 60 * kNsPerSecond,
                                  due_ns(first, done + i, per_second)));
    if (host.submit(0, std::move(batch))) done += credit;
  }
}

class GatewayTarget final : public Target {
 public:
  GatewayTarget() : directory_(temporary_directory()), signer_({{1, kSecret}}) {
    make_certificate(directory_);
    pid_ = spawn({program(), "--gateway", directory_}, &orders_, &answers_);
    std::string line;
    // The host's log, if it says anything, comes the same way.
    for (char c; !(line.starts_with("ready") && line.ends_with('\n')) && read(answers_, &c, 1) == 1; line += c)
      if (line.ends_with('\n')) line.clear();
    if (std::sscanf(line.c_str(), "ready %d %d", &port_, &tls_port_) != 2) {
      std::fprintf(stderr, "longconn: the gateway did not start: %s\n", line.c_str());
      std::exit(1);
    }
  }
  ~GatewayTarget() override {
    close(orders_);
    end(pid_);
    std::filesystem::remove_all(directory_);
  }
  int port(bool is_tls) const override { return is_tls ? tls_port_ : port_; }
  pid_t pid() const override { return pid_; }
  std::vector<Swarm::Login> logins(size_t count) override {
    std::vector<Swarm::Login> all;
    for (size_t i = 0; i < count; ++i) {
      const std::string id = "d" + std::to_string(i);
      all.push_back({id, "bench", signer_.sign({"bench", id, 1, SystemClock().wall_ms() + 3'600'000})});
    }
    return all;
  }
  void push(Swarm&, size_t devices, uint64_t count, double per_second) override {
    const std::string order =
        std::to_string(devices) + " " + std::to_string(count) + " " + std::to_string(per_second) + "\n";
    if (write(orders_, order.data(), order.size()) < 0) std::exit(1);
  }

 private:
  const std::string directory_;
  const CredentialSigner signer_;
  pid_t pid_ = -1;
  int orders_ = -1, answers_ = -1, port_ = 0, tls_port_ = 0;
};

}  // namespace

std::unique_ptr<Target> make_gateway() {
  return std::make_unique<GatewayTarget>();
}

int run_gateway(const std::string& directory) {
  spdlog::set_level(spdlog::level::warn);
  const int port = free_tcp_port(), tls_port = free_tcp_port();
  SystemClock clock;
  CountingSink sink;
  const CredentialSigner signer({{1, kSecret}});
  channels::PluginHostOptions options;
  options.data_dir = directory;
  options.checker = "";
  channels::PluginHostPorts ports{clock, nullptr, nullptr, {}};
  ports.verify_credential = [&](std::string_view text) -> Result<channels::KnownDevice> {
    auto known = signer.verify(text, clock.wall_ms());
    if (!known) return known.error();
    return channels::KnownDevice{known->app, known->device_id, known->generation, known->expires_ms};
  };
  const std::string config = R"({"tcp":"127.0.0.1:)" + std::to_string(port) +
                             R"(","connect_rate":0,"max_connections":19000,"tls":{"listen":"127.0.0.1:)" +
                             std::to_string(tls_port) + R"(","cert_file":")" + directory +
                             R"(/cert.pem","key_file":")" + directory + R"(/key.pem"}})";
  std::vector<channels::ChannelFault> faults;
  auto host = channels::PluginHost::open({{"selfconn", "selfconn", "inline", config, true}}, options, ports, faults);
  if (host)
    for (auto& fault : host->start(sink)) faults.push_back(fault);
  for (const auto& fault : faults)
    if (!fault.warning) return std::printf("%s %s\n", fault.pointer.c_str(), fault.text.c_str()), 1;
  std::printf("ready %d %d\n", port, tls_port);
  std::fflush(stdout);

  std::vector<std::string> addresses;
  size_t devices;
  uint64_t count;
  double per_second;
  while (std::cin >> devices >> count >> per_second) {
    if (addresses.size() != devices) {
      addresses.clear();
      for (size_t i = 0; i < devices; ++i) addresses.push_back("bench/d" + std::to_string(i));
    }
    push_all(*host, sink, clock, addresses, count, per_second);
  }
  host->stop(0);
  return 0;
}

}  // namespace godwit::bench
