// godwit.io/1: a plugin's descriptors on its lane, and listening sockets that the host owns.
#pragma once

#include <godwit/ext/io.h>

#include "broker/channels/services/io_loop.hpp"
#include "broker/channels/services/listeners.hpp"
#include "broker/channels/services/open_calls.hpp"
#include "broker/channels/services/service.hpp"

namespace godwit::channels {

class IoService final : public Service {
 public:
  IoService(ServiceHome home, IoLoop& loop, Listeners& listeners);
  const void* table() const override { return &table_; }
  void close() override;

  // New connections go to this instance's listening sockets; what comes to those that it does not use is ended.
  void prefer_listeners() { listeners_.prefer(home_.channel, this); }
  void dismiss_from_others() { listeners_.dismiss(home_.channel, this); }
  // REQUIRES: the plugin's stop returned.
  void release_listeners() { listeners_.release(this); }

 private:
  struct Call {
    gw_io_fn fn;
    void* arg;
    uint64_t watch = 0;      // the loop's number
    bool unwatched = false;  // only the last call is still to come
  };
  static IoService& self(void* ctx) { return *static_cast<IoService*>(ctx); }
  int32_t watch(int32_t fd, uint32_t interest, gw_io_fn fn, void* arg, uint64_t& id);
  int32_t rearm(uint64_t id, uint32_t interest);
  void unwatch(uint64_t id);
  void ready(uint64_t id, uint32_t events);
  int32_t listener(const gw_listener_options& options, const gw_diag* diag, int32_t& fd, uint32_t* port);

  const ServiceHome home_;
  IoLoop& loop_;
  Listeners& listeners_;
  gw_io table_{};
  OpenCalls<Call> calls_{65'536};
};

}  // namespace godwit::channels
