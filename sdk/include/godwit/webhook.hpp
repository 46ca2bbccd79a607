// A vendor's callback, as the plugin's parse_webhook sees it, and the sink for what it means.
//
//   godwit::Result<void> parse_webhook(const godwit::WebhookRequest& request, godwit::WebhookSink& sink) const;
//
// It may run on any thread and many times at once, also beside the lane, hence const. An Error with GW_E_DENIED means a
// wrong signature, GW_E_INVALID a body that makes no sense: no event of it counts then.
#pragma once

#include <string_view>

#include <godwit/ext/webhook.h>
#include <godwit/event.hpp>
#include <godwit/report.hpp>
#include <godwit/table.hpp>

namespace godwit {
inline namespace sdk {

class WebhookRequest {
 public:
  explicit WebhookRequest(const gw_webhook_request* raw) : raw_(raw) {}
  uint32_t method() const { return raw_->method; }              // one GW_METHOD_*
  std::string_view tail() const { return view(raw_->tail); }    // path below the instance's own, without '/'
  std::string_view query() const { return view(raw_->query); }  // raw
  std::string_view body() const { return view(raw_->body); }    // raw bytes, as signed
  std::string_view remote_ip() const { return view(raw_->remote_ip); }
  uint64_t received_wall_ms() const { return raw_->received_wall_ms; }  // instead of a clock: parsing can be replayed
  // By lower-case name; empty if absent.
  std::string_view header(std::string_view name) const {
    for (uint32_t i = 0; i < raw_->header_count; ++i)
      if (view(raw_->headers[2 * i]) == name) return view(raw_->headers[2 * i + 1]);
    return {};
  }
  const gw_webhook_request& raw() const { return *raw_; }

 private:
  const gw_webhook_request* raw_;
};

class WebhookSink {
 public:
  explicit WebhookSink(const gw_webhook_sink* raw) : raw_(import_table(raw)) {}

  void event(const Event& event) {
    gw_event e = event.raw();
    raw_.event(raw_.ctx, &e);
  }
  // At most once; without it the vendor gets 200, 403 or 400 and no body.
  void reply(uint32_t http_status, std::string_view body = {}, std::string_view content_type = {}) {
    gw_str header[2] = {str("content-type"), str(content_type)};
    gw_webhook_reply r{};
    r.size = sizeof r;
    r.http_status = http_status;
    r.headers = header;
    r.header_count = content_type.empty() ? 0 : 1;
    r.body = str(body);
    raw_.reply(raw_.ctx, &r);
  }
  Report report() const { return Report(raw_.diag); }

 private:
  gw_webhook_sink raw_;
};

}  // namespace sdk
}  // namespace godwit
