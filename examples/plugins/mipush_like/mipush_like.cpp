// A vendor channel from end to end in two files: requests over the host's HTTP client, the error table, receipts by
// callback. It shows a channel author how the pieces meet, and the scenario tests run it against a fake vendor.
#include <string>

#include <godwit/channel.hpp>
#include <godwit/json.hpp>
#include <godwit/services/http.hpp>
#include <godwit/services/secret.hpp>

#include "mipush_like_embedded.hpp"
#include "wire.hpp"

namespace mipush_like {

using godwit::Batch;
using godwit::Event;
using godwit::Host;
using godwit::HttpPool;
using godwit::HttpReply;
using godwit::Outcome;
using godwit::Pending;
using godwit::Result;

class MiPushLike final : public godwit::Channel {
 public:
  static constexpr auto describe() {
    return godwit::type("com.example.mipush-like")
        .name("Mi Push (example)")
        .vendor("Example")
        .version("0.1.0")
        .license("Apache-2.0")
        .schema(embedded::schema_json)
        .example(embedded::example_json)
        .caps({.receipt_kinds = GW_RECEIPT_ACCEPTED | GW_RECEIPT_DELIVERED | GW_RECEIPT_OPENED,
               .flags = GW_CAP_TTL | GW_CAP_COLLAPSE | GW_CAP_OFFLINE_HOLD | GW_CAP_TOKEN_FEEDBACK | GW_CAP_WEBHOOK,
               .max_payload_bytes = 4096,
               .max_batch = 64,
               .max_window = 1000,
               .max_ttl_ms = UINT64_C(10) * 24 * 3600 * 1000,
               .offline_hold_ms = UINT64_C(10) * 24 * 3600 * 1000,
               .max_collapse_key = 64});
  }

  static Result<std::unique_ptr<MiPushLike>> create(Host host, godwit::Json json) {
    Config config = parse(json);
    auto pool = HttpPool::open(host, {.origin = config.origin,
                                      .ca_file = config.ca_file,
                                      .max_connections = 32,
                                      .connect_timeout_ms = 1000,
                                      .request_timeout_ms = config.request_timeout_ms});
    if (!pool) return std::move(pool).error();
    return std::make_unique<MiPushLike>(host, std::move(config), std::move(*pool));
  }
  MiPushLike(Host host, Config config, HttpPool pool)
      : host_(host), config_(std::move(config)), pool_(std::move(pool)) {}

  // Ready once the secret is known; a changed secret is used from the next request on.
  void start() override {
    auto watch = godwit::Secrets(host_).watch(config_.app_secret_name, [this](godwit::SecretValue value) {
      if (!value) return host_.set_state(GW_STATE_FAILED, "app_secret: " + value.error().message);
      authorization_ = "key=" + std::string(*value);
      host_.set_window(config_.window);
      host_.set_state(GW_STATE_READY);
    });
    if (!watch) return host_.set_state(GW_STATE_FAILED, watch.error().message);
    secret_ = std::move(*watch);
  }

  void submit(Batch batch) override {
    for (Pending m : batch) {
      const godwit::HttpRequest request = request_for(m.message());
      pool_.send(request, [this, m = std::move(m)](const HttpReply& reply) mutable { m.settle(read(reply)); });
    }
  }

  Result<void> parse_webhook(const godwit::WebhookRequest& request, godwit::WebhookSink& sink) const {
    if (config_.callback_path.empty() || request.tail() != config_.callback_path)
      return godwit::Error{GW_E_DENIED, "not the callback's path", ""};
    auto receipts = receipts_of(request.body());
    if (!receipts) return std::move(receipts).error();
    for (const Receipt& r : *receipts) {
      if (r.type == 1) sink.event(receipt(GW_RECEIPT_DELIVERED, r));
      if (r.type == 2) sink.event(receipt(GW_RECEIPT_OPENED, r));
      if (r.type == 16) sink.event(Event::token_invalid(r.target, r.event_id, r.timestamp_ms));
    }
    return {};
  }

  Result<void> preview(godwit::Message message, godwit::PreviewSink& sink) const {
    sink.request(config_.origin,
                 {.path = kPath, .headers = {{"authorization", "***"}}, .body = form_of(config_, message)});
    return {};
  }

 private:
  static constexpr const char* kPath = "/v3/message/regid";

  static Event receipt(uint32_t kind, const Receipt& r) {
    Event event = Event::receipt(kind, r.vendor_id, r.event_id, r.timestamp_ms);
    // By both names: a quick receipt may be here before the answer that tells the vendor's id.
    event.message_id = r.message_id;
    event.address = r.target;
    return event;
  }

  godwit::HttpRequest request_for(godwit::Message message) const {
    return {.path = kPath,
            .headers = {{"authorization", authorization_},
                        {"content-type", "application/x-www-form-urlencoded;charset=UTF-8"}},
            .body = form_of(config_, message),
            .deadline_mono_ns = message.deadline_mono_ns()};
  }

  // The three-way truth: what surely did not leave is tried again, what may have left is unknown, an answer is read.
  Outcome read(const HttpReply& reply) {
    if (reply.is_not_sent()) return Outcome::retry("not_sent", std::string(reply.error()));
    if (!reply.is_answered()) return Outcome::unknown(std::string(reply.error()));
    Outcome outcome = outcome_of(reply.http_status(), reply.body(), reply.header("retry-after"));
    if (outcome.disposition == GW_THROTTLED)
      host_.hold(host_.now_mono_ns() + outcome.retry_after_ms * 1'000'000,
                 "the vendor asked to wait: " + outcome.vendor_code);
    return outcome;
  }

  Host host_;
  const Config config_;
  HttpPool pool_;
  godwit::SecretWatch secret_;
  std::string authorization_;
};

}  // namespace mipush_like

GW_EXPORT_CHANNEL(mipush_like::MiPushLike)
