#include "good.hpp"

#include <nlohmann/json.hpp>

namespace bad {

Good::Good(const gw_host* host) : host_(godwit::import_table(host)) {
  run_ = std::to_string(host_.now_wall_ms(host_.ctx)) + "-" + std::to_string(reinterpret_cast<uintptr_t>(this)) + "-" +
         std::to_string(host_.now_mono_ns(host_.ctx));
}

int32_t Good::parse_config(gw_str config, const gw_diag* diag) {
  auto refuse = [diag](const char* where, const char* text) {
    if (diag) diag->report(diag->ctx, GW_DIAG_ERROR, str(where), str(text));
    return GW_E_INVALID;
  };
  auto json = nlohmann::json::parse(view(config), nullptr, false);
  if (!json.is_object()) return refuse("", "must be an object");
  if (!json.value("origin", nlohmann::json()).is_string()) return refuse("/origin", "must be a text");
  if (!json.value("key", nlohmann::json()).is_string()) return refuse("/key", "must be a text");
  return GW_OK;
}

int32_t Good::start() {
  send_event(GW_EVENT_PRESENCE_RESET, "");
  auto secret =
      godwit::import_table(static_cast<const gw_secret*>(host_.get_service(host_.ctx, str(GW_SERVICE_SECRET))));
  auto http = godwit::import_table(static_cast<const gw_http*>(host_.get_service(host_.ctx, str(GW_SERVICE_HTTP))));
  if (!secret.get || !http.send) return GW_E_UNSUPPORTED;
  secret.get(
      secret.ctx, str("vendor-key"),
      [](void* arg, int32_t status, gw_str, uint64_t) { static_cast<Good*>(arg)->got_secret(status); }, this);
  gw_http_pool_options options{};
  options.size = sizeof options;
  options.origin = str("https://vendor.example");
  options.request_timeout_ms = 3000;
  uint64_t pool = 0;
  if (http.open_pool(http.ctx, &options, nullptr, &pool) != GW_OK) return GW_E_IO;
  gw_http_request ping{};
  ping.size = sizeof ping;
  ping.method = str("GET");
  ping.path = str("/ping");
  http.send(
      http.ctx, pool, &ping,
      [](void* arg, const gw_http_response* response) { static_cast<Good*>(arg)->got_ping(*response); }, this);
  return GW_OK;
}

void Good::got_secret(int32_t status) {
  if (status == GW_E_CLOSED) return;
  has_secret_ = status == GW_OK;
  if (!has_secret_) host_.set_state(host_.ctx, GW_STATE_FAILED, str("the secret vendor-key is missing"));
  say_ready();
}

void Good::got_ping(const gw_http_response& response) {
  if (response.status == GW_E_CLOSED) return;
  has_ping_ = response.status == GW_OK;
  if (!has_ping_) host_.set_state(host_.ctx, GW_STATE_DOWN, str("the vendor cannot be reached"));
  say_ready();
}

void Good::say_ready() {
  if (!has_secret_ || !has_ping_) return;
  open_window();
  host_.set_state(host_.ctx, GW_STATE_READY, gw_str{});
}

int32_t Good::submit(const gw_batch* batch) {
  for (uint32_t i = 0; i < batch->count; ++i) take(batch->msgs[i]);
  host_.timer_arm(host_.ctx, latency_ns(), 0);
  return GW_OK;
}

void Good::on_timer() {
  while (!waiting_.empty()) {
    const gw_msg* message = waiting_.front();
    waiting_.pop_front();
    finish(message, GW_ACCEPTED);
  }
  say_drained_if_so();
}

void Good::finish(const gw_msg* message, uint32_t disposition) {
  std::string vendor_id = run_ + "-" + std::to_string(++number_);
  settle(message->ticket, disposition, vendor_id);
  if (disposition == GW_ACCEPTED) send_event(GW_EVENT_RECEIPT, vendor_id);
}

void Good::settle(uint64_t ticket, uint32_t disposition, const std::string& vendor_id) {
  gw_outcome o{};
  o.size = sizeof o;
  o.disposition = disposition;
  o.ticket = ticket;
  o.target_index = GW_ALL_TARGETS;
  o.vendor_id = str(vendor_id);
  const gw_outcome* list[] = {&o};
  host_.settle(host_.ctx, list, 1);
}

void Good::cancel(uint64_t ticket) {
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
    if ((*it)->ticket != ticket) continue;
    const gw_msg* message = *it;
    waiting_.erase(it);
    return finish(message, GW_CANCELLED);
  }
}

void Good::send_event(uint32_t kind, std::string vendor_id) {
  Event event{kind, vendor_id, event_id(vendor_id)};
  if (!events_.empty() || try_event(event) == GW_E_BUSY) events_.push_back(std::move(event));
}

int32_t Good::try_event(const Event& event) {
  gw_event e{};
  e.size = sizeof e;
  e.kind = event.kind;
  e.subkind = event.kind == GW_EVENT_RECEIPT ? GW_RECEIPT_DELIVERED : 0;
  e.event_id = str(event.event_id);
  e.vendor_id = str(event.vendor_id);
  const gw_event* list[] = {&e};
  return host_.event(host_.ctx, list, 1);
}

void Good::on_event_room() {
  while (!events_.empty() && try_event(events_.front()) != GW_E_BUSY) events_.pop_front();
}

void Good::drain() {
  draining_ = true;
  say_drained_if_so();
}

void Good::say_drained_if_so() {
  if (draining_ && waiting_.empty()) host_.drained(host_.ctx);
}

void Good::stop() {
  while (!waiting_.empty()) {
    const gw_msg* message = waiting_.front();
    waiting_.pop_front();
    finish(message, GW_UNKNOWN);
  }
}

int32_t Good::health(const gw_diag* out) {
  if (out) out->report(out->ctx, GW_DIAG_INFO, str("answers"), str("many"));
  return GW_OK;
}

int32_t Good::parse(const gw_webhook_request* request, const gw_webhook_sink* sink) {
  bool is_signed = false;
  for (uint32_t i = 0; i < request->header_count; ++i)
    is_signed |= view(request->headers[2 * i]) == "x-signature" && view(request->headers[2 * i + 1]) == "good";
  if (!is_signed) return GW_E_DENIED;
  std::string_view body = view(request->body), word = "delivered ";
  if (!body.starts_with(word) || body.size() == word.size()) return GW_E_INVALID;
  gw_event e{};
  e.size = sizeof e;
  e.kind = GW_EVENT_RECEIPT;
  e.subkind = GW_RECEIPT_DELIVERED;
  e.vendor_id = str(body.substr(word.size()));
  e.event_id = request->body;
  sink->event(sink->ctx, &e);
  return GW_OK;
}

}  // namespace bad
