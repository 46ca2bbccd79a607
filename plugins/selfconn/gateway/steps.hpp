// The steps of a connection's life, in the order in which they happen; one file each, named like the step.
//
// All run on the shard's thread. A step may end the connection: callers look at c.phase before they go on with it. The
// record itself stays valid until the end of the round.
#pragma once

#include "plugins/selfconn/codec/parse.hpp"
#include "plugins/selfconn/gateway/shard.hpp"

namespace selfconn {

namespace mqtt = godwit::mqtt;

// accept.cpp: sockets that wait at a listener, a burst at a time.
void accept_connections(Shard& shard, const Listener& listener);

// read.cpp: what the socket has, packet by packet.
void read_socket(Shard& shard, Connection& c);
// Goes on with packets that were left alone while the connection was paused, or that came with an admission.
void handle_bytes_at_hand(Shard& shard, Connection& c);

// handle_connect.cpp: checks CONNECT and the credential, finds the shard. `behind` are the bytes after the packet.
void handle_connect(Shard& shard, Connection& c, const mqtt::Frame& frame, mqtt::Bytes behind);

// Why a device is not let in, in the words of both versions.
struct Refusal {
  mqtt::Reason reason;
  mqtt::ConnectReturn code;
  const char* text;
};

// admit.cpp: takeover, CONNACK, presence; on the device's own shard.
void admit(Shard& shard, Connection& c, Admission& admission);
void admit_from_elsewhere(Shard& shard, Admission& admission);
uint32_t granted_session_expiry(const Settings& settings, uint32_t wish_s);
void not_let_in(Shard& shard, Connection& c, const Refusal& why);

// handle_publish.cpp, handle_subscribe.cpp: what a device says.
bool may_publish_now(Shard& shard, Connection& c);  // false: leave the packet for later
void handle_publish(Shard& shard, Connection& c, const mqtt::Publish& publish);
void handle_pubrel(Shard& shard, Connection& c, const mqtt::Ack& ack);
void handle_subscribe(Shard& shard, Connection& c, const mqtt::Subscribe& subscribe);
void handle_unsubscribe(Shard& shard, Connection& c, const mqtt::Unsubscribe& unsubscribe);

// deliver.cpp: messages to the device. Every message that is taken here is settled here, exactly once.
void take_handover(Shard& shard, Handover& handover);
void pump(Shard& shard, Connection& c);  // sends what the window and the socket take, then flushes
void handle_puback(Shard& shard, Connection& c, const mqtt::Ack& ack);
void settle_overdue(Shard& shard, Connection& c);
void cancel_message(Shard& shard, uint64_t ticket);
void settle_all(Shard& shard, Connection& c);                      // the connection is gone
uint32_t next_flight_tick(Shard& shard, const Connection& c);      // kNone: none
bool is_silent_about_messages(Shard& shard, const Connection& c);  // longer than a PUBACK may take

// send.cpp: answers, gathered in shard.output and flushed once per connection and round.
void answer_ack(Shard& shard, Connection& c, mqtt::PacketType type, uint16_t id,
                mqtt::Reason reason = mqtt::Reason::success);
void answer_ping(Shard& shard, Connection& c);
void flush(Shard& shard, Connection& c);     // may end the connection
void write_on(Shard& shard, Connection& c);  // the socket is writable again

// alarms.cpp: everything that time does to a connection.
void on_alarm(Shard& shard, Connection& c);
void arm(Shard& shard, Connection& c);

// close.cpp
// Says why where the protocol has a word for it, then closes. REQUIRES: phase live or greeting.
void refuse(Shard& shard, Connection& c, mqtt::Reason reason, const char* text);
// The socket is lost, or there is nothing to say.
void drop(Shard& shard, Connection& c, const char* why);
// After the last word was sent: waits for the peer to close.
void linger(Shard& shard, Connection& c);
void release_departed(Shard& shard, Connection& c);

// drain.cpp
void start_drain(Shard& shard, const DrainOrder& order);
void drain_some(Shard& shard);      // at every tick
void say_if_drained(Shard& shard);  // after every round

}  // namespace selfconn
