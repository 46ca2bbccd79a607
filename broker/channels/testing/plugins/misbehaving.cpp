// A channel that does what its configuration says, mostly what no channel may do: {"do": "twice"}. Written against
// abi.h alone, so that nothing of the SDK's C++ layer protects the host from it.
#include <godwit/abi.h>
#include <godwit/ext/preview.h>
#include <godwit/ext/webhook.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr gw_str text(std::string_view s) {
  return {s.data(), s.size()};
}

// "key": value of a flat JSON object that the host has checked against the schema below.
std::string value_of(std::string_view json, std::string_view key) {
  const std::string quoted = "\"" + std::string(key) + "\":";
  size_t at = json.find(quoted);
  if (at == std::string_view::npos) return {};
  at += quoted.size();
  const size_t end = json.find_first_of(",}", at);
  std::string value(json.substr(at, end - at));
  if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
  return value;
}

struct Channel {
  gw_host host;
  std::string act;
  int gate = -1;  // a descriptor: what blocks, blocks until a byte can be read from it
  std::vector<uint64_t> kept;
  std::thread thread;

  void wait_at_gate() const {
    char byte;
    while (read(gate, &byte, 1) < 0) {
    }
  }
  int32_t settle(uint64_t ticket, uint32_t disposition, std::string_view vendor_id = {}) const {
    gw_outcome outcome{};
    outcome.size = sizeof outcome;
    outcome.ticket = ticket;
    outcome.target_index = GW_ALL_TARGETS;
    outcome.disposition = disposition;
    outcome.vendor_id = text(vendor_id);
    outcome.retry_after_ms = disposition == GW_THROTTLED ? 5000 : 0;
    const gw_outcome* list[] = {&outcome};
    return host.settle(host.ctx, list, 1);
  }
  void presence(uint32_t kind, std::string_view address = {}) const {
    gw_event event{};
    event.size = sizeof event;
    event.kind = kind;
    event.subkind = GW_PRESENCE_ONLINE;
    event.address = text(address);
    const gw_event* list[] = {&event};
    host.event(host.ctx, list, 1);
  }
  int32_t receipt(std::string_view vendor_id) const {
    gw_event event{};
    event.size = sizeof event;
    event.kind = GW_EVENT_RECEIPT;
    event.subkind = GW_RECEIPT_DELIVERED;
    event.vendor_id = text(vendor_id);
    const gw_event* list[] = {&event};
    return host.event(host.ctx, list, 1);
  }
};

Channel& of(void* self) {
  return *static_cast<Channel*>(self);
}

int32_t check_config(gw_str config, const gw_diag* diag) {
  if (value_of({config.ptr, config.len}, "do") != "bad_config") return GW_OK;
  diag->report(diag->ctx, GW_DIAG_ERROR, text("/do"), text("is what only check_config knows to be wrong"));
  return GW_E_INVALID;
}

int32_t create(const gw_host* host, gw_str config, const gw_diag* diag, void** self) {
  auto* channel = new Channel;
  std::memcpy(&channel->host, host, sizeof(gw_host));
  channel->act = value_of({config.ptr, config.len}, "do");
  const std::string gate = value_of({config.ptr, config.len}, "gate");
  if (!gate.empty()) channel->gate = std::atoi(gate.c_str());
  if (channel->act == "throw_in_create") {
    delete channel;
    throw std::runtime_error("the licence is in another coat");
  }
  if (channel->act == "fail_create") {
    diag->report(diag->ctx, GW_DIAG_ERROR, text("/do"), text("create was told to fail"));
    delete channel;
    return GW_E_INVALID;
  }
  *self = channel;
  return GW_OK;
}

int32_t start(void* self, const gw_diag* diag) {
  Channel& c = of(self);
  if (c.act == "fail_start") {
    diag->report(diag->ctx, GW_DIAG_ERROR, {}, text("start was told to fail"));
    return GW_E_IO;
  }
  if (c.act == "throw_in_start") throw std::runtime_error("no route to anywhere");
  if (c.act == "never_ready") return GW_OK;
  if (c.act == "broken_for_good") return c.host.set_state(c.host.ctx, GW_STATE_FAILED, text("the account is closed"));
  if (c.act.starts_with("presence")) {
    c.presence(GW_EVENT_PRESENCE_RESET);
    c.presence(GW_EVENT_PRESENCE, "somebody");
  }
  if (c.act == "presence_never_ready") return GW_OK;
  c.host.set_state(c.host.ctx, GW_STATE_READY, {});
  c.host.set_window(c.host.ctx, 16);
  return GW_OK;
}

int32_t submit(void* self, const gw_batch* batch) {
  Channel& c = of(self);
  if (c.act == "throw") throw std::runtime_error("no more ideas");
  if (c.act == "refuse") return GW_E_BUSY;
  if (c.act == "hang") c.wait_at_gate();
  if (c.act == "settle_then_throw") {
    c.settle(batch->msgs[0]->ticket, GW_ACCEPTED);
    throw 5;
  }
  for (uint32_t i = 0; i < batch->count; ++i) {
    const uint64_t ticket = batch->msgs[i]->ticket;
    const std::string id(batch->msgs[i]->message_id.ptr, batch->msgs[i]->message_id.len);
    if (c.act == "never" || c.act == "late" || c.act == "on_cancel" || c.act == "at_stop") {
      c.kept.push_back(ticket);
    } else if (c.act == "foreign") {
      c.settle(ticket + 1, GW_ACCEPTED);                    // another slot
      c.settle(ticket + (UINT64_C(9) << 32), GW_ACCEPTED);  // a later generation
      c.settle(0, GW_ACCEPTED);
      c.settle(ticket, GW_ACCEPTED);
    } else if (c.act == "odd_disposition") {
      c.settle(ticket, 77);
    } else if (c.act == "throttle") {
      c.settle(ticket, GW_THROTTLED);
    } else if (c.act == "own_thread") {
      if (c.thread.joinable()) c.thread.join();
      c.thread = std::thread([&c, ticket] { c.settle(ticket, GW_DELIVERED); });
    } else {
      c.settle(ticket, GW_ACCEPTED, "v-" + id);
      if (c.act == "twice") c.settle(ticket, GW_TARGET_INVALID);
      if (c.act == "receipt") c.receipt("v-" + id);
    }
  }
  if (c.act == "late" && !c.kept.empty()) c.host.timer_arm(c.host.ctx, UINT64_C(60'000'000'000), 1);
  return GW_OK;
}

void cancel(void* self, uint64_t ticket) {
  Channel& c = of(self);
  if (c.act == "on_cancel") c.settle(ticket, GW_CANCELLED);
}

void on_timer(void* self, uint64_t, uint64_t) {
  Channel& c = of(self);
  for (const uint64_t ticket : c.kept) c.settle(ticket, GW_ACCEPTED);
  c.kept.clear();
}

void on_event_room(void* self) {
  of(self).receipt("after-room");
}

int32_t reconfigure(void* self, gw_str config, const gw_diag*) {
  of(self).act = value_of({config.ptr, config.len}, "do");
  return GW_OK;
}

void stop(void* self) {
  Channel& c = of(self);
  if (c.act == "block_stop") c.wait_at_gate();
  if (c.act.starts_with("presence")) c.presence(GW_EVENT_PRESENCE_RESET);
  if (c.act == "at_stop")
    for (const uint64_t ticket : c.kept) c.settle(ticket, GW_CANCELLED);
  if (c.thread.joinable()) c.thread.join();
}

void destroy(void* self) {
  Channel& c = of(self);
  if (c.act == "call_in_destroy") c.host.set_window(c.host.ctx, 3);
  delete &c;
}

int32_t health(void*, const gw_diag* out) {
  out->report(out->ctx, GW_DIAG_INFO, text("mood"), text("bad"));
  return GW_OK;
}

// POST with the body "secret:<vendor id>" is a receipt.
int32_t parse(void*, const gw_webhook_request* request, const gw_webhook_sink* sink) {
  const std::string_view body(request->body.ptr, request->body.len);
  if (body == "throw") throw std::runtime_error("cannot parse");
  if (!body.starts_with("secret:")) return GW_E_DENIED;
  if (body.size() == 7) return GW_E_INVALID;
  gw_event event{};
  event.size = sizeof event;
  event.kind = GW_EVENT_RECEIPT;
  event.subkind = GW_RECEIPT_DELIVERED;
  event.vendor_id = text(body.substr(7));
  sink->event(sink->ctx, &event);
  const gw_str headers[] = {text("content-type"), text("text/plain")};
  gw_webhook_reply reply{};
  reply.size = sizeof reply;
  reply.http_status = 202;
  reply.headers = headers;
  reply.header_count = 1;
  reply.body = text("noted");
  sink->reply(sink->ctx, &reply);
  return GW_OK;
}

const gw_webhook webhook = {sizeof(gw_webhook), GW_METHOD_POST, 1000, 0, parse};

// Shows what it should have hidden. {"do": "refuse"} refuses with a reason, "throw" and "never" in their ways without.
int32_t render(void* self, const gw_msg*, const gw_preview_sink* sink) {
  const Channel& c = of(self);
  if (c.act == "throw") throw std::runtime_error("no more ideas");
  if (c.act == "never") return GW_E_INVALID;
  if (c.act == "refuse") {
    sink->diag->report(sink->diag->ctx, GW_DIAG_ERROR, text("/overrides/one/ttl"), text("must be at most 7, got 8"));
    return GW_E_INVALID;
  }
  sink->diag->report(sink->diag->ctx, GW_DIAG_WARNING, text("title"), text("is cut to 5 characters"));
  const gw_str headers[] = {text("Authorization"), text("Basic c2VjcmV0"), text("x-key"), text("v=hunter22;")};
  gw_preview_request request{};
  request.size = sizeof request;
  request.header_count = 2;
  request.method = text("POST");
  request.url = text("https://api.example/?key=hunter22");
  request.headers = headers;
  request.body = text("hunter22 hunter22 hunter2");
  sink->request(sink->ctx, &request);
  return GW_OK;
}

const gw_preview preview = {sizeof(gw_preview), 0, render};

const void* get_extension(gw_str id) {
  const std::string_view name(id.ptr, id.len);
  if (name == GW_EXT_PREVIEW) return &preview;
  return name == GW_EXT_WEBHOOK ? &webhook : nullptr;
}

const gw_channel_ops ops = [] {
  gw_channel_ops o{};
  o.size = sizeof o;
  o.check_config = check_config;
  o.create = create;
  o.start = start;
  o.submit = submit;
  o.cancel = cancel;
  o.on_timer = on_timer;
  o.on_event_room = on_event_room;
  o.reconfigure = reconfigure;
  o.stop = stop;
  o.destroy = destroy;
  o.health = health;
  o.get_extension = get_extension;
  return o;
}();

const gw_caps caps = [] {
  gw_caps c{};
  c.size = sizeof c;
  c.flags = GW_CAP_WEBHOOK | GW_CAP_MULTICAST;
  c.receipt_kinds = GW_RECEIPT_DELIVERED;
  c.max_payload_bytes = 1000;
  c.max_batch = 4;
  c.max_targets = MOST_TARGETS;
  c.max_window = 16;
  return c;
}();

constexpr std::string_view schema = R"({
  "type": "object", "additionalProperties": false,
  "properties": {
    "do": {"type": "string", "default": "accept", "x-godwit-live": true},
    "gate": {"type": "integer"},
    "password": {"type": "string", "format": "godwit-secret", "writeOnly": true}
  }
})";

const gw_channel_type type = [] {
  gw_channel_type t{};
  t.size = sizeof t;
  t.id = text("misbehaving");
  t.name = text("Misbehaving");
  t.vendor = text("Nobody");
  t.version = text("0.1.0");
  t.config_schema = text(schema);
  t.config_example = text("{}");
  t.caps = &caps;
  t.ops = &ops;
  return t;
}();

const gw_channel_type* const types[] = {&type};

}  // namespace

extern "C" const gw_entry GW_ENTRY_SYMBOL = {sizeof(gw_entry), GW_ABI_MAJOR, GW_ABI_MINOR, 0, 0, 1, types,
                                             {nullptr, 0},     nullptr,      nullptr};
