#include <sys/socket.h>
#include <unistd.h>

#include "plugins/selfconn/codec/write.hpp"
#include "plugins/selfconn/gateway/steps.hpp"

namespace selfconn {
namespace {

void note(Shard& shard, const Connection& c, const char* why) {
  if (shard.logs(GW_LOG_DEBUG))
    shard.fleet.host.debug("connection ends", {{"address", c.address.view()}, {"why", why}});
}

void close_socket(Shard& shard, Connection& c) {
  if (c.fd < 0) return;
  ::close(std::exchange(c.fd, -1));  // leaves epoll by itself
  shard.fleet.open.fetch_sub(1, std::memory_order_relaxed);
}

void free_buffers(Connection& c) {
  c.partial.clear();
  c.unsent.clear();
  c.stream.reset();
  c.session.reset();
}

// The device is away: its messages are settled, the host will be told. The record stays in the index until then.
void leave_live(Shard& shard, Connection& c) {
  settle_all(shard, c);
  if (c.session_expiry_s > 0) {
    const uint64_t device = shard.fleet.hash_of(c.address.view());
    shard.sessions.keep(device, shard.tick + c.session_expiry_s * kTicksPerSecond, std::move(c.session));
  }
  shard.fleet.live.fetch_sub(1, std::memory_order_relaxed);
  shard.reports.presence_changed(c);
}

void say_disconnect(Shard& shard, Connection& c, mqtt::Reason reason, const char* text) {
  mqtt::PropertyBuilder<320> properties;
  if (reason == mqtt::Reason::use_another_server || reason == mqtt::Reason::server_moved)
    properties.add(mqtt::Property::server_reference, shard.fleet.settings.server_reference);
  else
    properties.add(mqtt::Property::reason_string, text);
  mqtt::Disconnect disconnect{reason, properties.properties()};
  if (c.max_packet > 0 && mqtt::size_of(disconnect, c.version) > c.max_packet) disconnect.properties = {};
  if (shard.output.room().size() < mqtt::size_of(disconnect, c.version)) shard.output.flush(c, shard.tick);
  shard.output.commit(mqtt::write(disconnect, c.version, shard.output.room()));
}

}  // namespace

void refuse(Shard& shard, Connection& c, mqtt::Reason reason, const char* text) {
  note(shard, c, text);
  if (reason == mqtt::Reason::malformed_packet || reason == mqtt::Reason::protocol_error) shard.counters.faults.add();
  const bool may_speak = c.phase == Phase::live && c.version == mqtt::Version::v5;
  if (may_speak) say_disconnect(shard, c, reason, text);
  // What was gathered for it before (answers to what it said in time) leaves first.
  const Flushed flushed = shard.output.flush(c, shard.tick);
  if (may_speak && (flushed == Flushed::all || flushed == Flushed::some)) return linger(shard, c);
  drop(shard, c, text);
}

void linger(Shard& shard, Connection& c) {
  // Closing with unread input would reset the connection and destroy our last word on its way.
  if (c.phase == Phase::live) {
    // The record with its address goes on as the device that left; the socket gets a record of its own.
    Connection& rest = shard.add_connection(std::exchange(c.fd, -1));
    rest.version = c.version;
    rest.stream = std::move(c.stream);
    leave_live(shard, c);
    free_buffers(c);
    c.phase = Phase::departed;
    shard.wheel.clear(c.self);
    if (!shard.watch_again(rest)) return drop(shard, rest, "epoll refused the socket");
    return linger(shard, rest);
  }
  if (c.stream) c.stream->finish(c.fd);
  free_buffers(c);
  c.phase = Phase::lingering;
  c.since_tick = shard.tick;
  ::shutdown(c.fd, SHUT_WR);
  arm(shard, c);
  shard.read_again.push_back(c.self);
}

void drop(Shard& shard, Connection& c, const char* why) {
  if (c.fd >= 0 && shard.output.used() > 0) shard.output.flush(c, shard.tick);  // answers that it earned before
  switch (c.phase) {
    case Phase::live:
      note(shard, c, why);
      leave_live(shard, c);
      close_socket(shard, c);
      free_buffers(c);
      shard.wheel.clear(c.self);
      c.phase = Phase::departed;
      return;
    case Phase::greeting:
      note(shard, c, why);
      [[fallthrough]];
    case Phase::lingering:
      close_socket(shard, c);
      return shard.forget(c);
    case Phase::departed:
    case Phase::doomed:
    case Phase::free:
      return;
  }
}

void release_departed(Shard& shard, Connection& c) {
  if (c.phase != Phase::departed) return;
  c.is_presence_due = false;  // told, or overtaken by a newer connection's
  shard.devices.erase(c.tag, c.self);
  shard.forget(c);
}

}  // namespace selfconn
