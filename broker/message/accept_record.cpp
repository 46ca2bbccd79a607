// ACCEPT and CARRY: a message as bytes. Layout: header (what recovery needs of every message), then what the caller
// said.
#include "broker/message/record_fields.hpp"
#include "broker/message/records.hpp"

namespace godwit::records {

using namespace fields;

namespace {

enum HeaderFlag : uint8_t { kHasKey = 1 };
enum BodyFlag : uint8_t { kSilent = 1, kScheduled = 2 };

void put_header(ByteWriter& out, const Message& m) {
  begin(out, m.id);
  const bool keyed = m.idempotency_key != Hash128{};
  out.u8(keyed ? kHasKey : 0);
  out.zigzag(m.accepted_ms);
  if (keyed) {
    out.u64(m.idempotency_key.high);
    out.u64(m.idempotency_key.low);
    out.u64(m.body_hash);
  }
  out.str(m.app);
}

std::optional<AcceptHeader> read_header(ByteReader& in) {
  const auto id = start(in);
  if (!id) return std::nullopt;
  AcceptHeader h;
  h.id = *id;
  const uint8_t flags = in.u8();
  h.accepted_ms = in.zigzag();
  if (flags & kHasKey) {
    h.idempotency_key = {in.u64(), in.u64()};
    h.body_hash = in.u64();
  }
  h.app = in.str();
  if (in.failed()) return std::nullopt;
  return h;
}

// What the caller said. Times count as said only when the message is scheduled: `now` differs from call to call.
void put_said(ByteWriter& out, const Message& m) {
  const bool scheduled = m.deliver_at_ms != m.accepted_ms && m.deliver_at_ms != 0;
  out.u8(static_cast<uint8_t>((m.silent ? kSilent : 0) | (scheduled ? kScheduled : 0)));
  out.u8(static_cast<uint8_t>(m.to.kind));
  out.str(m.to.channel);
  out.varint(m.to.names.size());
  for (const std::string& name : m.to.names) out.str(name);
  out.str(m.content);
  out.varint(m.overrides.size());
  for (const auto& [channel, json] : m.overrides) {
    out.str(channel);
    out.str(json);
  }
  out.u8(static_cast<uint8_t>(m.priority));
  out.u8(static_cast<uint8_t>(m.message_class));
  out.u8(static_cast<uint8_t>(m.routing));
  out.str(m.collapse_key);
  out.varint(m.channels.size());
  for (const std::string& channel : m.channels) out.str(channel);
  out.zigzag(m.ttl_ms);
  if (scheduled) out.zigzag(m.deliver_at_ms);
}

std::string read_string(ByteReader& in) {
  return std::string(in.str());
}

void read_said(ByteReader& in, Message& m) {
  const uint8_t flags = in.u8();
  m.silent = flags & kSilent;
  m.to.kind = in_range(in, AudienceKind::all);
  m.to.channel = in.str();
  read_many(in, 1, m.to.names, read_string);
  m.content = in.str();
  read_many(in, 2, m.overrides, [](ByteReader& r) {
    std::string channel(r.str());
    return std::pair<std::string, std::string>(std::move(channel), r.str());
  });
  m.priority = in_range(in, Priority::low);
  m.message_class = in_range(in, MessageClass::marketing);
  m.routing = in_range(in, RoutingMode::ordered);
  m.collapse_key = in.str();
  read_many(in, 1, m.channels, read_string);
  m.ttl_ms = in.zigzag();
  m.deliver_at_ms = flags & kScheduled ? in.zigzag() : m.accepted_ms;
}

std::optional<Message> read_message(ByteReader& in) {
  const auto header = read_header(in);
  if (!header) return std::nullopt;
  Message m;
  m.id = header->id;
  m.app = header->app;
  m.accepted_ms = header->accepted_ms;
  m.idempotency_key = header->idempotency_key;
  m.body_hash = header->body_hash;
  read_said(in, m);
  if (in.failed()) return std::nullopt;
  return m;
}

}  // namespace

uint64_t body_hash(const Message& message) {
  thread_local std::string said;  // recycled: called once per keyed message on the intake path
  said.clear();
  ByteWriter out(said);
  put_said(out, message);
  return stable_hash(said);
}

void put_accept(std::string& bytes, const Message& message) {
  ByteWriter out(bytes);
  put_header(out, message);
  put_said(out, message);
}

std::optional<Message> get_accept(std::string_view body) {
  ByteReader in(body);
  auto message = read_message(in);
  if (!message || !in.at_end()) return std::nullopt;
  return message;
}

std::optional<AcceptHeader> get_accept_header(std::string_view body) {
  ByteReader in(body);
  return read_header(in);
}

void put_carry(std::string& bytes, const Carry& carry) {
  ByteWriter out(bytes);
  put_header(out, carry.message);  // first, so that get_accept_header reads a CARRY too
  put_said(out, carry.message);
  out.u8(static_cast<uint8_t>((carry.planned ? 1 : 0) | (carry.cancelled ? 2 : 0) | (carry.fanout ? 4 : 0)));
  if (carry.fanout) {
    out.varint(carry.fanout->next);
    out.varint(carry.fanout->planned);
    out.u8(carry.fanout->done ? 1 : 0);
  }
  out.varint(carry.dropped.size());
  for (const uint64_t n : carry.dropped) out.varint(n);
  out.varint(carry.deliveries.size());
  for (const Progress& p : carry.deliveries) put_progress(out, p);
}

std::optional<Carry> get_carry(std::string_view body) {
  ByteReader in(body);
  auto message = read_message(in);
  if (!message) return std::nullopt;
  Carry out;
  out.message = std::move(*message);
  const uint8_t flags = in.u8();
  out.planned = flags & 1;
  out.cancelled = flags & 2;
  if (flags & 4) out.fanout = Cursor{out.message.id, in.varint(), in.varint(), (in.u8() & 1) != 0};
  read_many(in, 1, out.dropped, [](ByteReader& r) { return r.varint(); });
  read_many(in, 9, out.deliveries, get_progress);
  if (!in.at_end()) return std::nullopt;
  return out;
}

}  // namespace godwit::records
