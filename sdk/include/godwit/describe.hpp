// What a channel says about itself: constant, readable by the host before any function was called.
//
//   static constexpr auto describe() {
//     return godwit::type("com.example.sms").name("Example SMS").vendor("Example Ltd").version("1.0.0")
//         .license("Apache-2.0").schema(kSchema).example(kExample)
//         .caps({.receipt_kinds = GW_RECEIPT_DELIVERED, .flags = GW_CAP_WEBHOOK, .max_batch = 64});
//   }
#pragma once

#include <string_view>

#include <godwit/ext/webhook.h>
#include <godwit/text.hpp>

namespace godwit {
inline namespace sdk {

// gw_caps with defaults that suit a channel with one HTTP request per message.
struct Caps {
  uint32_t receipt_kinds = 0;      // GW_RECEIPT_* that can ever arrive
  uint64_t flags = 0;              // GW_CAP_*
  uint32_t max_payload_bytes = 0;  // 0 = no limit of its own
  uint32_t max_batch = 64;         // messages per submit
  uint32_t max_targets = 1;        // targets per message; more needs GW_CAP_MULTICAST
  uint32_t max_window = 1000;      // messages with the plugin at once
  uint64_t max_ttl_ms = 0;         // 0 = ttl is not supported
  uint64_t offline_hold_ms = 0;    // 0 = the vendor does not hold
  uint32_t max_collapse_key = 0;
  uint32_t priority_levels = 1;
  uint32_t rate_hint_per_s = 0;
  uint32_t cost_micro = 0;

  constexpr gw_caps raw() const {
    return gw_caps{sizeof(gw_caps), receipt_kinds,   flags,      max_payload_bytes, max_batch,
                   max_targets,     max_window,      max_ttl_ms, offline_hold_ms,   max_collapse_key,
                   priority_levels, rate_hint_per_s, cost_micro};
  }
};

// The result of describe(); every setter returns the next version of it.
struct TypeInfo {
  std::string_view id_ = {}, name_ = {}, vendor_ = {}, version_ = {}, license_ = {}, docs_ = {}, schema_ = {},
                   example_ = {};
  Caps caps_ = {};
  uint32_t webhook_methods_ = GW_METHOD_POST;
  uint32_t webhook_max_body_ = 1 << 20;
  uint16_t entry_flags_ = 0;

  constexpr TypeInfo name(std::string_view v) const { return with(&TypeInfo::name_, v); }
  constexpr TypeInfo vendor(std::string_view v) const { return with(&TypeInfo::vendor_, v); }
  constexpr TypeInfo version(std::string_view v) const { return with(&TypeInfo::version_, v); }  // semver
  constexpr TypeInfo license(std::string_view v) const { return with(&TypeInfo::license_, v); }  // SPDX
  constexpr TypeInfo docs(std::string_view v) const { return with(&TypeInfo::docs_, v); }
  constexpr TypeInfo schema(std::string_view v) const { return with(&TypeInfo::schema_, v); }    // JSON Schema draft-07
  constexpr TypeInfo example(std::string_view v) const { return with(&TypeInfo::example_, v); }  // must validate
  constexpr TypeInfo caps(Caps v) const {
    TypeInfo next = *this;
    next.caps_ = v;
    return next;
  }
  // Which methods the vendor calls back with, and how long its bodies may be.
  constexpr TypeInfo webhook(uint32_t methods, uint32_t max_body) const {
    TypeInfo next = *this;
    next.webhook_methods_ = methods;
    next.webhook_max_body_ = max_body;
    return next;
  }
  // GW_ENTRY_ONLY_PROCESS: must run in a child process.
  constexpr TypeInfo entry_flags(uint16_t v) const {
    TypeInfo next = *this;
    next.entry_flags_ = v;
    return next;
  }

  // No template: Clang would instantiate it after describe() is evaluated.
  constexpr TypeInfo with(std::string_view TypeInfo::*member, std::string_view value) const {
    TypeInfo next = *this;
    next.*member = value;
    return next;
  }
};

// Third parties use reverse DNS for the id: "com.example.sms".
constexpr TypeInfo type(std::string_view id) {
  return TypeInfo{.id_ = id};
}

}  // namespace sdk
}  // namespace godwit
