// Writers: the exact size first, then the bytes into the caller's buffer. No allocation; safe from any thread.
//
// size_of(x) is what write(x) will write, fixed header included. write returns it, or 0 and touches nothing when `room`
// is smaller. Answers take their short form: a success without properties is two bytes of body, as 5.0 allows.
// REQUIRES: what MQTT can express (texts up to 65,535 bytes, a packet up to 268,435,455).
#pragma once

#include "plugins/selfconn/codec/packets.hpp"

namespace godwit::mqtt {

size_t size_of(const Connect& packet);
size_t write(const Connect& packet, std::span<uint8_t> room);

size_t size_of(const Connack& packet, Version version);
size_t write(const Connack& packet, Version version, std::span<uint8_t> room);

size_t size_of(const Publish& packet, Version version);
size_t write(const Publish& packet, Version version, std::span<uint8_t> room);

// A PUBLISH whose payload the caller puts behind it in pieces: everything but the payload. `packet.payload` is ignored.
size_t size_of_publish_head(const Publish& packet, size_t payload_size, Version version);
size_t write_publish_head(const Publish& packet, size_t payload_size, Version version, std::span<uint8_t> room);

size_t size_of(const Ack& packet, Version version);
size_t write(const Ack& packet, Version version, std::span<uint8_t> room);

size_t size_of(const Subscribe& packet, Version version);
size_t write(const Subscribe& packet, Version version, std::span<uint8_t> room);

size_t size_of(const Unsubscribe& packet, Version version);
size_t write(const Unsubscribe& packet, Version version, std::span<uint8_t> room);

size_t size_of(const SubscribeAnswer& packet, Version version);
size_t write(const SubscribeAnswer& packet, Version version, std::span<uint8_t> room);

size_t size_of(const Disconnect& packet, Version version);
size_t write(const Disconnect& packet, Version version, std::span<uint8_t> room);

size_t size_of(const Auth& packet);
size_t write(const Auth& packet, std::span<uint8_t> room);

// PINGREQ, PINGRESP.
inline constexpr size_t kPingSize = 2;
size_t write_ping(PacketType type, std::span<uint8_t> room);

// One filter of a SUBSCRIBE or UNSUBSCRIBE, for building Filters::raw. Returns the bytes written, 0 without room.
size_t write_filter(const Filter& filter, bool with_options, std::span<uint8_t> room);

}  // namespace godwit::mqtt
