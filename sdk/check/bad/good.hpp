// Good is a channel that keeps the whole contract, written against the plain C ABI: the others in this folder are it
// with one fault each, named after the test that must find it.
//
// It pretends that a vendor answers 10 ms after submit, sends a receipt for every message, watches a secret, pings over
// HTTP, reports presence and parses callbacks, so that every test has something to look at.
#pragma once

#include <deque>
#include <string>

#include <godwit/abi.h>
#include <godwit/ext/http.h>
#include <godwit/ext/secret.h>
#include <godwit/ext/webhook.h>
#include <godwit/table.hpp>
#include <godwit/text.hpp>

namespace bad {

using godwit::str;
using godwit::view;

constexpr uint64_t kMs = 1'000'000;

// What the library says about itself; Bad::describe changes one thing of it.
struct Description {
  gw_str name, schema, example;
  gw_caps caps;
  gw_channel_ops ops;
  uint16_t min_host_minor = 0;
  int32_t (*init)(gw_str, const gw_diag*) = nullptr;
};

class Good {
 public:
  explicit Good(const gw_host* host);
  virtual ~Good() = default;

  static constexpr Description describe(Description d) { return d; }

  // Answers GW_OK, or reports and answers why not.
  static int32_t parse_config(gw_str config, const gw_diag* diag);
  virtual int32_t configure(gw_str config, const gw_diag* diag) { return parse_config(config, diag); }

  virtual int32_t start();
  virtual int32_t submit(const gw_batch* batch);
  virtual void cancel(uint64_t ticket);
  virtual void on_timer();
  virtual void on_event_room();
  virtual int32_t reconfigure(gw_str config, const gw_diag* diag) { return parse_config(config, diag); }
  virtual void drain();
  virtual void stop();
  virtual int32_t health(const gw_diag* out);
  virtual int32_t parse(const gw_webhook_request* request, const gw_webhook_sink* sink);

  // Steps of the above, to be broken on their own.
  virtual void got_secret(int32_t status);
  virtual void got_ping(const gw_http_response& response);
  virtual void take(const gw_msg* message) { waiting_.push_back(message); }
  virtual void finish(const gw_msg* message, uint32_t disposition);
  virtual uint64_t latency_ns() { return 10 * kMs; }
  virtual std::string event_id(const std::string& vendor_id) { return vendor_id + "-delivered"; }
  virtual void send_event(uint32_t kind, std::string vendor_id);
  virtual void open_window() { host_.set_window(host_.ctx, 64); }
  virtual void say_ready();

 protected:
  struct Event {
    uint32_t kind;
    std::string vendor_id, event_id;
  };
  int32_t try_event(const Event& event);
  void settle(uint64_t ticket, uint32_t disposition, const std::string& vendor_id);
  void say_drained_if_so();

  gw_host host_;
  std::deque<const gw_msg*> waiting_;  // with the vendor
  std::deque<Event> events_;           // the host had no room for
  std::string run_;                    // tells this life's ids from all others'
  uint64_t number_ = 0;
  bool has_secret_ = false, has_ping_ = false, draining_ = false;
};

constexpr Description standard() {
  Description d{};
  d.name = str("A plugin of the checker's own tests");
  d.schema = str(R"({"type": "object", "additionalProperties": false, "required": ["origin", "key"], "properties": {
    "origin": {"type": "string"}, "key": {"type": "string", "format": "godwit-secret"},
    "limit": {"type": "integer", "default": 5, "x-godwit-live": true}}})");
  d.example = str(R"({"origin": "https://vendor.example", "key": "vendor-key", "limit": 7})");
  d.caps = {
      sizeof(gw_caps), GW_RECEIPT_DELIVERED, GW_CAP_WEBHOOK | GW_CAP_PRESENCE, 4096, 256, 1, 64, 0, 0, 0, 1, 0, 0};
  return d;
}

// The functions of the ABI for a class derived from Good.
template <class T>
struct Edge {
  static T& self(void* p) { return *static_cast<T*>(p); }

  static constexpr gw_webhook webhook = {
      sizeof(gw_webhook), GW_METHOD_POST, 1 << 16, 0,
      [](void* p, const gw_webhook_request* r, const gw_webhook_sink* s) noexcept { return self(p).parse(r, s); }};

  static constexpr gw_channel_ops ops() {
    gw_channel_ops o{};
    o.size = sizeof o;
    o.create = [](const gw_host* host, gw_str config, const gw_diag* diag, void** out) -> int32_t {
      T* made = new T(host);
      int32_t status = made->configure(config, diag);
      if (status == GW_OK)
        *out = made;
      else
        delete made;
      return status;
    };
    o.start = [](void* p, const gw_diag*) { return self(p).start(); };
    o.submit = [](void* p, const gw_batch* batch) { return self(p).submit(batch); };
    o.cancel = [](void* p, uint64_t ticket) { self(p).cancel(ticket); };
    o.on_timer = [](void* p, uint64_t, uint64_t) { self(p).on_timer(); };
    o.on_event_room = [](void* p) { self(p).on_event_room(); };
    o.reconfigure = [](void* p, gw_str config, const gw_diag* diag) { return self(p).reconfigure(config, diag); };
    o.drain = [](void* p, uint64_t) { self(p).drain(); };
    o.stop = [](void* p) { self(p).stop(); };
    o.destroy = [](void* p) { delete &self(p); };
    o.health = [](void* p, const gw_diag* out) { return self(p).health(out); };
    o.get_extension = [](gw_str id) -> const void* { return view(id) == GW_EXT_WEBHOOK ? &webhook : nullptr; };
    return o;
  }

  static constexpr Description described = [] {
    Description d = standard();
    d.ops = ops();
    return T::describe(d);
  }();
  static constexpr gw_channel_type type = {
      sizeof(gw_channel_type), 0,  str("test.bad"),  described.name,    str("Godwit"),   str("1.0.0"),
      str("Apache-2.0"),       {}, described.schema, described.example, &described.caps, &described.ops};
  static constexpr const gw_channel_type* types[] = {&type};
  static constexpr gw_entry entry = {
      sizeof(gw_entry), GW_ABI_MAJOR,   GW_ABI_MINOR, described.min_host_minor, 0, 1, types,
      str("none"),      described.init, nullptr};
};

}  // namespace bad

#define BAD_PLUGIN(T) extern "C" GW_EXPORT constexpr gw_entry GW_ENTRY_SYMBOL = bad::Edge<T>::entry;
