// FakeIo is godwit.io/1 with real sockets on 127.0.0.1. Listeners get a free port whatever was asked for, so that tests
// never collide with a running broker or with each other; `port` tells which. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include <godwit/ext/io.h>

#include "sdk/testhost/fake_service.hpp"
#include "sdk/testhost/lane.hpp"

namespace godwit::testhost {

class FakeIo final : public FakeService {
 public:
  explicit FakeIo(Lane& lane);
  ~FakeIo() override;
  const void* table() const override { return &table_; }
  void close() override;
  void turn(uint64_t now_ns) override;  // looks which watched descriptors are ready
  bool is_waiting_for_the_world() const override;

  // Of the listener with that name; 0 = none.
  uint32_t port(const std::string& name) const;

 private:
  struct Watch {
    int fd;
    uint32_t interest;  // 0 = not armed
    gw_io_fn fn;
    void* arg;
  };
  struct Socket {
    int fd;
    uint32_t port;
  };
  int32_t listen(const gw_listener_options& options, int32_t* fd, uint32_t* port);
  void end(const Watch& watch);

  gw_io table_;
  Lane& lane_;
  mutable std::mutex mutex_;  // guards all below
  std::map<uint64_t, Watch> watches_;
  std::map<std::pair<std::string, uint32_t>, Socket> sockets_;  // by name and index
  uint64_t last_id_ = 0;
  bool closed_ = false;
};

}  // namespace godwit::testhost
