#include "plugins/selfconn/codec/write.hpp"
#include "plugins/selfconn/gateway/steps.hpp"

namespace selfconn {

void answer_ack(Shard& shard, Connection& c, mqtt::PacketType type, uint16_t id, mqtt::Reason reason) {
  const mqtt::Ack ack{type, id, reason, {}};
  if (shard.output.room().size() < mqtt::size_of(ack, c.version)) flush(shard, c);
  shard.output.commit(mqtt::write(ack, c.version, shard.output.room()));
}

void answer_ping(Shard& shard, Connection& c) {
  if (shard.output.room().size() < mqtt::kPingSize) flush(shard, c);
  shard.output.commit(mqtt::write_ping(mqtt::PacketType::pingresp, shard.output.room()));
}

namespace {

// The peer is gone, but its last words (acknowledgements, DISCONNECT) may lie in the receive buffer: read them first.
void stop_sending(Shard& shard, Connection& c) {
  c.unsent.clear();
  if (c.cannot_send) return;
  c.cannot_send = true;
  shard.read_again.push_back(c.self);
}

void after_flush(Shard& shard, Connection& c, Flushed how, bool was_waiting) {
  switch (how) {
    case Flushed::all:
      return;
    case Flushed::some:
      return was_waiting ? void() : arm(shard, c);
    case Flushed::lost:
      return stop_sending(shard, c);
    case Flushed::overrun:
      return drop(shard, c, "the peer does not read its answers");
  }
}

}  // namespace

void flush(Shard& shard, Connection& c) {
  const bool was_waiting = !c.unsent.empty();
  after_flush(shard, c, shard.output.flush(c, shard.tick), was_waiting);
}

void write_on(Shard& shard, Connection& c) {
  after_flush(shard, c, shard.output.resume(c, shard.tick), true);
  if (c.phase == Phase::live && c.unsent.empty() && c.waiting > 0) shard.pump_later(c);
}

}  // namespace selfconn
