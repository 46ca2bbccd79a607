// Listeners owns the listening sockets of all channels, so that they outlive a plugin's instance: while one is
// reloaded, clients wait in the backlog instead of being refused.
//
// A socket is known by channel, name, address and index; asking again gives the same one. Sockets of one name and
// different index share the address (SO_REUSEPORT); with port 0 they share the port that the first one got. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

#include "broker/base/result.hpp"

namespace godwit::channels {

class Listeners {
 public:
  Listeners() = default;
  ~Listeners();  // closes them
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  struct Socket {
    int fd = -1;
    uint16_t port = 0;
  };
  // `address`: "127.0.0.1:1883", "[::1]:1883". Code::invalid or Code::io with the remedy.
  Result<Socket> get(std::string_view channel, std::string_view name, std::string_view address, uint32_t index,
                     uint32_t backlog);

 private:
  using Key = std::tuple<std::string, std::string, std::string, uint32_t>;
  std::mutex mutex_;
  std::map<Key, Socket> sockets_;  // guarded by mutex_
};

}  // namespace godwit::channels
