// One strict parser per packet: the body of a Frame in, a value of views or a Fault out.
//
// Strict means: every byte is accounted for, every rule of the standard that one packet alone can break is checked
// here. What depends on the connection (a second CONNECT, our Receive Maximum, whose packet this is) is the gateway's
// business. No allocation, no state; safe from any thread. The caller keeps the frame's bytes as long as it uses the
// value.
#pragma once

#include "plugins/selfconn/codec/frame.hpp"
#include "plugins/selfconn/codec/packets.hpp"

namespace godwit::mqtt {

// The answer to a fault follows the version that the client asked for, so out.version is set as soon as it is known.
Fault parse_connect(const Frame& frame, Connect& out);
Fault parse_connack(const Frame& frame, Version version, Connack& out);
Fault parse_publish(const Frame& frame, Version version, Sender sender, Publish& out);
Fault parse_ack(const Frame& frame, Version version, Sender sender, Ack& out);
Fault parse_subscribe(const Frame& frame, Version version, Subscribe& out);
Fault parse_unsubscribe(const Frame& frame, Version version, Unsubscribe& out);
Fault parse_subscribe_answer(const Frame& frame, Version version, SubscribeAnswer& out);
Fault parse_disconnect(const Frame& frame, Version version, Sender sender, Disconnect& out);
Fault parse_auth(const Frame& frame, Sender sender, Auth& out);
// PINGREQ and PINGRESP.
Fault parse_ping(const Frame& frame);

}  // namespace godwit::mqtt
