#include "broker/channels/services/io_service.hpp"

#include <godwit/table.hpp>
#include <utility>

#include "broker/channels/abi_text.hpp"

namespace godwit::channels {

static_assert(net::Poller::kRead == GW_IO_READ && net::Poller::kWrite == GW_IO_WRITE &&
              net::Poller::kError == GW_IO_ERROR);

IoService::IoService(ServiceHome home, IoLoop& loop, Listeners& listeners)
    : home_(home), loop_(loop), listeners_(listeners) {
  table_.size = sizeof table_;
  table_.ctx = this;
  table_.watch = [](void* ctx, int32_t fd, uint32_t interest, gw_io_fn fn, void* arg, uint64_t* id) -> int32_t {
    if (!fn || !id || fd < 0) return GW_E_INVALID;
    return self(ctx).watch(fd, interest, fn, arg, *id);
  };
  table_.rearm = [](void* ctx, uint64_t id, uint32_t interest) { return self(ctx).rearm(id, interest); };
  table_.unwatch = [](void* ctx, uint64_t id) { self(ctx).unwatch(id); };
  table_.listener = [](void* ctx, const gw_listener_options* options, const gw_diag* diag, int32_t* fd,
                       uint32_t* port) -> int32_t {
    if (!options || !fd) return GW_E_INVALID;
    return self(ctx).listener(import_table(options), diag, *fd, port);
  };
}

int32_t IoService::watch(int32_t fd, uint32_t interest, gw_io_fn fn, void* arg, uint64_t& id) {
  uint64_t number = 0;
  if (const int32_t status = calls_.add({fn, arg}, number); status != GW_OK) return status;
  const uint64_t before = std::exchange(id, number);  // told before anything can be ready
  const uint64_t watch = loop_.add(this, fd, interest, [this, number](uint32_t events) { ready(number, events); });
  if (watch == 0) {
    calls_.take(number);
    id = before;
    return GW_E_INVALID;
  }
  // Close may have come in between: then nobody knows the loop's number but we.
  if (!calls_.with(number, [&](Call& call) { call.watch = watch; })) loop_.remove(watch);
  return GW_OK;
}

int32_t IoService::rearm(uint64_t id, uint32_t interest) {
  uint64_t watch = 0;
  if (!calls_.with(id, [&](Call& call) { watch = call.watch; })) return GW_E_NOT_FOUND;
  return loop_.rearm(watch, interest) ? GW_OK : GW_E_INVALID;
}

void IoService::unwatch(uint64_t id) {
  // The descriptor may be closed as soon as this returns, so the loop forgets it now; the last call comes on the lane.
  uint64_t watch = 0;
  if (!calls_.with(id, [&](Call& call) {
        watch = call.watch;
        call.unwatched = true;
      }))
    return;
  loop_.remove(watch);
  home_.lane.post("io unwatch", [this, id] {
    if (const std::optional<Call> call = calls_.take(id)) guard([&] { call->fn(call->arg, GW_E_CLOSED, 0); });
  });
}

void IoService::ready(uint64_t id, uint32_t events) {
  home_.lane.post("io ready", [this, id, events] {
    std::optional<Call> call;
    if (calls_.with(id, [&](const Call& open) { call = open; }) && !call->unwatched)
      guard([&] { call->fn(call->arg, GW_OK, events); });
  });
}

int32_t IoService::listener(const gw_listener_options& options, const gw_diag* diag, int32_t& fd, uint32_t* port) {
  const Result<Listeners::Socket> socket = listeners_.get(home_.channel, this, from_gw(options.name),
                                                          from_gw(options.address), options.index, options.backlog);
  if (!socket) {
    if (diag && diag->report)
      diag->report(diag->ctx, GW_DIAG_ERROR, to_gw(socket.error().where), to_gw(socket.error().message));
    return socket.error().code == Code::invalid ? GW_E_INVALID : GW_E_IO;
  }
  fd = socket->fd;
  if (port) *port = socket->port;
  return GW_OK;
}

void IoService::close() {
  for (const Call& call : calls_.close()) {
    loop_.remove(call.watch);
    guard([&] { call.fn(call.arg, GW_E_CLOSED, 0); });
  }
}

}  // namespace godwit::channels
