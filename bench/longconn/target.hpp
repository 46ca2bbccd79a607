// Target is a server under test: Godwit's gateway alone, the whole broker, or mosquitto, each in a process of its own
// that ends with this one.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/longconn/swarm.hpp"

namespace godwit::bench {

class Target {
 public:
  virtual ~Target() = default;
  virtual int port(bool is_tls) const = 0;
  virtual pid_t pid() const = 0;
  virtual std::vector<Swarm::Login> logins(size_t count) = 0;
  // What devices do once they are connected.
  virtual void prepare(Swarm&) {}
  // Begins to send `count` messages to the swarm's first `devices` in turn, so many a second; 0 = as fast as it goes.
  virtual void push(Swarm& swarm, size_t devices, uint64_t count, double per_second) = 0;
  virtual void pushed() {}  // all have arrived
  // One durable POST of a message to a device, in a connection of its own: the seconds until it is accepted. From any
  // thread; the whole broker only.
  virtual double post(size_t) { return -1; }
};

// The plugin in the broker's plugin host, with a sink that counts: everything but the engine.
std::unique_ptr<Target> make_gateway();
// The child's side: argv is DIRECTORY. Reads orders from its standard input until that ends.
int run_gateway(const std::string& directory);

std::unique_ptr<Target> make_broker();
std::unique_ptr<Target> make_mosquitto();

// For targets. A self-signed certificate cert.pem with key.pem in `directory`.
void make_certificate(const std::string& directory);
std::string temporary_directory();
pid_t spawn(const std::vector<std::string>& command, int* orders = nullptr, int* answers = nullptr);
void end(pid_t pid);

double cpu_seconds_of(pid_t pid);
double memory_of(pid_t pid);  // anonymous, resident: heap and stacks, in bytes

}  // namespace godwit::bench
