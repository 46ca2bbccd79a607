// Outcome: how a message ended for a target. The disposition decides what the router does next; the vendor's own words
// travel beside it for people. It owns its strings, so it may be built from a parsed answer that dies before the
// settle.
#pragma once

#include <string>
#include <utility>

#include <godwit/text.hpp>

namespace godwit {
inline namespace sdk {

struct Outcome {
  uint32_t disposition = GW_UNKNOWN;
  uint32_t http_status = 0;
  uint64_t retry_after_ms = 0;
  uint64_t since_wall_ms = 0;  // TARGET_INVALID: dead since
  std::string vendor_id;       // by which later receipts name this message
  std::string vendor_code;     // the vendor's word: "BadDeviceToken"
  std::string detail;          // for people; no payload, no secret

  // The vendor took responsibility.
  static Outcome accepted(std::string vendor_id = {}) { return make(GW_ACCEPTED, std::move(vendor_id)); }
  // The device has it.
  static Outcome delivered(std::string vendor_id = {}) { return make(GW_DELIVERED, std::move(vendor_id)); }
  // Surely not taken, temporary.
  static Outcome retry(std::string code, std::string detail = {}) {
    return fail(GW_RETRY, std::move(code), std::move(detail));
  }
  // The vendor limits us; not counted as a failure.
  static Outcome throttled(uint64_t retry_after_ms, std::string code = {}) {
    Outcome o = fail(GW_THROTTLED, std::move(code), {});
    o.retry_after_ms = retry_after_ms;
    return o;
  }
  // Offline, or not on this channel now: the next channel at once.
  static Outcome unreachable(std::string code = {}) { return fail(GW_UNREACHABLE, std::move(code), {}); }
  // The token is dead.
  static Outcome target_invalid(std::string code, uint64_t since_wall_ms = 0) {
    Outcome o = fail(GW_TARGET_INVALID, std::move(code), {});
    o.since_wall_ms = since_wall_ms;
    return o;
  }
  // This message can never pass here.
  static Outcome rejected(std::string code, std::string detail = {}) {
    return fail(GW_REJECTED, std::move(code), std::move(detail));
  }
  // Our credentials or account.
  static Outcome config(std::string code, std::string detail = {}) {
    return fail(GW_CONFIG, std::move(code), std::move(detail));
  }
  // May or may not have been taken.
  static Outcome unknown(std::string detail) { return fail(GW_UNKNOWN, {}, std::move(detail)); }
  // Never left, because the host asked / too old.
  static Outcome cancelled() { return make(GW_CANCELLED, {}); }
  static Outcome expired() { return make(GW_EXPIRED, {}); }

  Outcome&& with_http_status(uint32_t status) && {
    http_status = status;
    return std::move(*this);
  }

  gw_outcome raw(uint64_t ticket, uint32_t target_index) const {
    gw_outcome o{};
    o.size = sizeof o;
    o.disposition = disposition;
    o.ticket = ticket;
    o.target_index = target_index;
    o.http_status = http_status;
    o.retry_after_ms = retry_after_ms;
    o.vendor_id = str_or_absent(vendor_id);
    o.vendor_code = str_or_absent(vendor_code);
    o.detail = str_or_absent(detail);
    o.since_wall_ms = since_wall_ms;
    return o;
  }

 private:
  static Outcome make(uint32_t disposition, std::string vendor_id) {
    Outcome o;
    o.disposition = disposition;
    o.vendor_id = std::move(vendor_id);
    return o;
  }
  static Outcome fail(uint32_t disposition, std::string code, std::string detail) {
    Outcome o;
    o.disposition = disposition;
    o.vendor_code = std::move(code);
    o.detail = std::move(detail);
    return o;
  }
};

}  // namespace sdk
}  // namespace godwit
