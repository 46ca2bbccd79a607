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

void flush(Shard& shard, Connection& c) {
  const bool was_waiting = !c.unsent.empty();
  switch (shard.output.flush(c, shard.tick)) {
    case Flushed::all:
      break;
    case Flushed::some:
      if (!was_waiting) arm(shard, c);
      break;
    case Flushed::broken:
      drop(shard, c, "the socket is lost or the peer does not read");
  }
}

void write_on(Shard& shard, Connection& c) {
  if (shard.output.resume(c, shard.tick) == Flushed::broken) return drop(shard, c, "the socket is lost");
  if (c.phase == Phase::live && c.unsent.empty() && c.waiting > 0) shard.pump_later(c);
}

}  // namespace selfconn
