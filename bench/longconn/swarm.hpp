// Swarm is many MQTT devices on one thread: they connect, acknowledge what they get, and count it.
//
// Written for benchmarks: it knows the few packets that matter and stops the program (with a message) at anything else.
// The time in a message (`"t":"<monotonic nanoseconds>"` in its payload) gives its latency. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;

namespace godwit::bench {

class Swarm {
 public:
  using Clock = std::chrono::steady_clock;
  struct Login {
    std::string client_id, user, password;  // no user: none
  };

  Swarm(int port, bool is_tls);
  ~Swarm();
  Swarm(const Swarm&) = delete;

  // Connects all of them, at most `at_once` handshakes in progress, and returns when the last CONNACK came: seconds.
  double connect(std::vector<Login> logins, size_t at_once = 256);
  // SUBSCRIBE to `prefix` + client id, QoS 1, all answered.
  void subscribe(const std::string& prefix);
  // Closes all of them. `politely`: with DISCONNECT.
  void disconnect(bool politely = true);

  // Publishes from device 0 at QoS 1 with at most `window` unacknowledged. The topic of number n is topic(n).
  struct Feed {
    uint64_t count = 0;
    size_t window = 2000;
    double per_second = 0;  // 0: as fast as it goes
    std::function<std::string(uint64_t)> topic;
  };
  void feed(Feed feed) { feed_ = std::move(feed), fed_ = 0, fed_acks_ = 0, feed_begun_ = Clock::now(); }

  // Runs until `count` messages have come since the last call of reset(). False when `patience` passed without any.
  bool run_until(uint64_t count, std::chrono::seconds patience = std::chrono::seconds(20));
  void reset();
  uint64_t received() const { return received_; }
  double seconds_to_last() const { return std::chrono::duration<double>(last_ - begun_).count(); }
  const std::vector<uint32_t>& latencies_us() const { return latencies_us_; }
  // Latencies in microseconds at a quantile; sorts.
  double latency_us(double quantile);
  size_t size() const;

 private:
  struct Device;
  void turn(int timeout_ms);
  bool start(uint32_t index);
  void on_event(uint32_t index, uint32_t events);
  void read(Device& d);
  size_t packet(Device& d, const uint8_t* at, size_t size);
  void send(Device& d, std::string_view bytes);
  void pump_feed();

  const int port_;
  SSL_CTX* tls_ = nullptr;
  const int epoll_;
  std::vector<Login> logins_;
  std::vector<Device> devices_;
  size_t connected_ = 0, subscribed_ = 0, closed_ = 0;
  uint64_t received_ = 0;
  Clock::time_point begun_, last_;
  std::vector<uint32_t> latencies_us_;
  Feed feed_;
  uint64_t fed_ = 0, fed_acks_ = 0;
  Clock::time_point feed_begun_;
  std::vector<uint8_t> input_;
};

// {"data":{"t":"<nanoseconds>"}…}: the payload of every benchmark's message, about 100 bytes. 0: now. A message of a
// steady flow carries the time when it was due: a sender that is held up must not make the latency look better.
std::string stamped_content(uint64_t ns = 0);
// When number `n` of a flow that began at `begun` is due; 0 without a rate.
uint64_t due_ns(Swarm::Clock::time_point begun, uint64_t n, double per_second);

}  // namespace godwit::bench
