// Listening sockets of the host and descriptors on the lane (godwit.io/1). Safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <godwit/ext/io.h>
#include <godwit/host.hpp>

namespace godwit {
inline namespace sdk {

// The host's: accept on it until stop returns, never close it.
struct Listener {
  int fd = -1;
  uint32_t port = 0;
};

class Io {
 public:
  explicit Io(Host host) : instance_(host.instance()), table_(host.service<gw_io>(GW_SERVICE_IO)) {}
  bool is_offered() const { return table_.listener; }

  // `name` is stable over reloads ("tcp", "tls"); sockets of one name and different `index` share the address.
  Result<Listener> listen(std::string_view name, std::string_view address, uint32_t index = 0,
                          uint32_t backlog = 0) const {
    if (!is_offered()) return Error{GW_E_UNSUPPORTED, "this host does not offer " GW_SERVICE_IO, ""};
    gw_listener_options o{};
    o.size = sizeof o;
    o.index = index;
    o.name = str(name);
    o.address = str(address);
    o.backlog = backlog;
    std::string why;
    gw_diag diag{sizeof(gw_diag), 0, &why,
                 [](void* ctx, int32_t, gw_str, gw_str text) { static_cast<std::string*>(ctx)->assign(view(text)); }};
    Listener listener;
    int32_t status = table_.listener(table_.ctx, &o, &diag, &listener.fd, &listener.port);
    if (status == GW_OK) return listener;
    return Error{status, why.empty() ? "cannot listen on " + std::string(address) : why, "/" + std::string(name)};
  }

  // `ready(uint32_t GW_IO_*)` on the lane, once per watch or rearm. 0 = refused. Unwatch before closing the descriptor.
  template <class F>
  uint64_t watch(int fd, uint32_t interest, F&& ready) const {
    if (!table_.watch) return 0;
    auto box = make_box(instance_, std::forward<F>(ready));
    using B = typename decltype(box)::element_type;
    constexpr auto fn = [](void* arg, int32_t status, uint32_t what) {
      if (status == GW_OK)
        B::call("an io callback", arg, what);
      else
        delete static_cast<B*>(arg);  // the last call
    };
    uint64_t id = 0;
    if (table_.watch(table_.ctx, fd, interest, fn, box.get(), &id) != GW_OK) return 0;
    box.release();
    return id;
  }
  void rearm(uint64_t id, uint32_t interest) const { table_.rearm(table_.ctx, id, interest); }
  void unwatch(uint64_t id) const { table_.unwatch(table_.ctx, id); }

 private:
  Instance* instance_;
  gw_io table_;
};

}  // namespace sdk
}  // namespace godwit
