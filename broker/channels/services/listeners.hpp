// Listeners owns the listening sockets of all channels, so that they outlive a plugin's instance: while one is
// reloaded, clients wait in the backlog instead of being refused.
//
// A socket is known by channel, name, address and index; asking again gives the same one. Sockets of one name and
// different index share the address (SO_REUSEPORT); with port 0 they share the port that the first one got.
//
// Who asks is a user of the socket until it is released; a socket without users is closed. While two instances of a
// channel overlap, both use the sockets; what the new one did not ask for (fewer reactors, another address) goes out of
// use: `prefer` steers new connections to the others, `dismiss` ends politely what came nevertheless. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "broker/base/result.hpp"

namespace godwit::channels {

class Listeners {
 public:
  using User = const void*;  // an instance's name for itself

  Listeners() = default;
  ~Listeners();  // closes them
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  struct Socket {
    int fd = -1;
    uint16_t port = 0;
  };
  // `address`: "127.0.0.1:1883", "[::1]:1883". Code::invalid or Code::io with the remedy.
  Result<Socket> get(std::string_view channel, User user, std::string_view name, std::string_view address,
                     uint32_t index, uint32_t backlog);

  // From now on the kernel gives new connections only to those sockets of the channel that `user` uses, as far as their
  // address has one of those.
  void prefer(std::string_view channel, User user);
  // Accepts and closes what waits at sockets of the channel that `user` does not use.
  void dismiss(std::string_view channel, User user);
  // REQUIRES: the user accepts no more. Closes the sockets that nobody uses now.
  void release(User user);

  size_t size() const;

 private:
  using Key = std::tuple<std::string, std::string, std::string, uint32_t>;
  struct Held {
    Socket socket;
    std::set<User> users;
    bool steered = false;  // it carries a program that chooses among its group
  };
  Result<Socket> open(const Key& key, User user, uint32_t backlog);

  mutable std::mutex mutex_;
  std::map<Key, Held> sockets_;  // guarded by mutex_; in the order of channel, name, address, index
};

}  // namespace godwit::channels
