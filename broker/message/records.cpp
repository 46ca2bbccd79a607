#include "broker/message/records.hpp"

#include "broker/message/record_fields.hpp"

namespace godwit::records {

using namespace fields;

std::optional<MessageId> get_id(std::string_view body) {
  ByteReader in(body);
  return start(in);
}

namespace {

void put_attempt(ByteWriter& out, const Attempt& a) {
  out.str(a.channel);
  out.u8(a.number);
  out.u8(a.result);
  out.zigzag(a.http_status);
  out.zigzag(a.started_ms);
  out.zigzag(a.settled_ms ? wrapping_add(wrapping_sub(a.settled_ms, a.started_ms), 1) : 0);  // 0: not settled
  out.str(a.vendor_id);
  out.str(a.vendor_code);
  out.str(a.vendor_detail);
  out.u8(a.why);
  out.u16(static_cast<uint16_t>(a.p * 10'000));
}

Attempt get_attempt(ByteReader& in) {
  Attempt a;
  a.channel = in.str();
  a.number = in.u8();
  a.result = in.u8();
  a.http_status = static_cast<int>(in.zigzag());
  a.started_ms = in.zigzag();
  const int64_t took = in.zigzag();
  if (took != 0) a.settled_ms = wrapping_add(a.started_ms, wrapping_sub(took, 1));
  a.vendor_id = in.str();
  a.vendor_code = in.str();
  a.vendor_detail = in.str();
  a.why = in.u8();
  a.p = static_cast<float>(in.u16()) / 10'000;
  return a;
}

void put_receipt_fields(ByteWriter& out, const Receipt& r) {
  out.u8(static_cast<uint8_t>(r.event));
  out.u8(static_cast<uint8_t>(r.source));
  out.str(r.channel);
  out.zigzag(r.at_ms);
}

Receipt get_receipt_fields(ByteReader& in) {
  Receipt r;
  r.event = in_range(in, ReceiptEvent::dismissed);
  r.source = in_range(in, ReceiptSource::device);
  r.channel = in.str();
  r.at_ms = in.zigzag();
  return r;
}

}  // namespace

namespace fields {

void put_progress(ByteWriter& out, const Progress& p) {
  out.str(p.device_id);
  out.str(p.name);
  out.u8(static_cast<uint8_t>(p.state));
  out.u8(p.final ? 1 : 0);
  out.u8(p.reason);
  out.zigzag(p.planned_ms);
  out.zigzag(p.final_ms);
  out.varint(p.attempts.size());
  for (const Attempt& a : p.attempts) put_attempt(out, a);
  out.varint(p.receipts.size());
  for (const Receipt& r : p.receipts) put_receipt_fields(out, r);
}

Progress get_progress(ByteReader& in) {
  Progress p;
  p.device_id = in.str();
  p.name = in.str();
  p.state = in_range(in, DeliveryState::cancelled);
  p.final = in.u8() & 1;
  p.reason = in.u8();
  p.planned_ms = in.zigzag();
  p.final_ms = in.zigzag();
  read_many(in, 12, p.attempts, get_attempt);
  read_many(in, 4, p.receipts, get_receipt_fields);
  return p;
}

}  // namespace fields

void put_outcome(std::string& bytes, MessageId id, const Progress& progress) {
  ByteWriter out(bytes);
  begin(out, id);
  put_progress(out, progress);
}

std::optional<Outcome> get_outcome(std::string_view body) {
  ByteReader in(body);
  const auto id = start(in);
  if (!id) return std::nullopt;
  Outcome out{*id, get_progress(in)};
  if (!in.at_end()) return std::nullopt;
  return out;
}

void put_receipt(std::string& bytes, MessageId id, std::string_view device_id, const Receipt& receipt) {
  ByteWriter out(bytes);
  begin(out, id);
  out.str(device_id);
  put_receipt_fields(out, receipt);
}

std::optional<ReceiptOf> get_receipt(std::string_view body) {
  ByteReader in(body);
  const auto id = start(in);
  if (!id) return std::nullopt;
  ReceiptOf out{*id, std::string(in.str()), get_receipt_fields(in)};
  if (!in.at_end()) return std::nullopt;
  return out;
}

void put_intent(std::string& bytes, const Intent& intent) {
  ByteWriter out(bytes);
  begin(out, intent.id);
  out.str(intent.device_id);
  out.str(intent.channel);
  out.u8(intent.number);
  out.zigzag(intent.at_ms);
}

std::optional<Intent> get_intent(std::string_view body) {
  ByteReader in(body);
  const auto id = start(in);
  if (!id) return std::nullopt;
  Intent out{*id, std::string(in.str()), std::string(in.str()), in.u8(), in.zigzag()};
  if (!in.at_end()) return std::nullopt;
  return out;
}

void put_cancel(std::string& bytes, const Cancel& cancel) {
  ByteWriter out(bytes);
  begin(out, cancel.id);
  out.zigzag(cancel.at_ms);
}

std::optional<Cancel> get_cancel(std::string_view body) {
  ByteReader in(body);
  const auto id = start(in);
  if (!id) return std::nullopt;
  Cancel out{*id, in.zigzag()};
  if (!in.at_end()) return std::nullopt;
  return out;
}

void put_cursor(std::string& bytes, const Cursor& cursor) {
  ByteWriter out(bytes);
  begin(out, cursor.id);
  out.varint(cursor.next);
  out.varint(cursor.planned);
  out.u8(cursor.done ? 1 : 0);
}

std::optional<Cursor> get_cursor(std::string_view body) {
  ByteReader in(body);
  const auto id = start(in);
  if (!id) return std::nullopt;
  Cursor out{*id, in.varint(), in.varint(), (in.u8() & 1) != 0};
  if (!in.at_end()) return std::nullopt;
  return out;
}

void put_checkpoint(std::string& bytes, const Checkpoint& checkpoint) {
  ByteWriter out(bytes);
  out.u8(kVersion);
  out.varint(checkpoint.replay_from);
  out.zigzag(checkpoint.at_ms);
}

std::optional<Checkpoint> get_checkpoint(std::string_view body) {
  ByteReader in(body);
  if (in.u8() != kVersion) return std::nullopt;
  Checkpoint out{in.varint(), in.zigzag()};
  if (!in.at_end()) return std::nullopt;
  return out;
}

}  // namespace godwit::records
