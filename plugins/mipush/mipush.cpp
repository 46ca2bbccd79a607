// Mi Push (小米推送): the channel. What goes out is sender.*, what comes back receipts.*, what a code means errors.*.
#include <algorithm>
#include <atomic>
#include <deque>
#include <string>

#include <godwit/channel.hpp>
#include <godwit/event_queue.hpp>
#include <godwit/preview.hpp>
#include <godwit/services/http.hpp>
#include <godwit/services/secret.hpp>

#include "address.hpp"
#include "china_day.hpp"
#include "config.hpp"
#include "feedback.hpp"
#include "mipush_embedded.hpp"
#include "recall.hpp"
#include "receipts.hpp"
#include "sender.hpp"

namespace mipush {

using godwit::Event;
using godwit::Host;
using godwit::Result;

class MiPush final : public godwit::Channel {
 public:
  static constexpr auto describe() {
    return godwit::type("mipush")
        .name("Mi Push")
        .vendor("Xiaomi")
        .version("1.0.0")
        .license("Apache-2.0")
        .docs("https://dev.mi.com/xiaomihyperos/documentation/detail?pId=1559")
        .schema(embedded::schema_json)
        .example(embedded::example_json)
        .webhook(GW_METHOD_POST, 4 << 20)
        .caps({.receipt_kinds = GW_RECEIPT_ACCEPTED | GW_RECEIPT_DELIVERED | GW_RECEIPT_OPENED,
               .flags = GW_CAP_TTL | GW_CAP_COLLAPSE | GW_CAP_OFFLINE_HOLD | GW_CAP_MULTICAST | GW_CAP_TOKEN_FEEDBACK |
                        GW_CAP_WEBHOOK | GW_CAP_RECALL,
               .max_payload_bytes = 8192,  // our JSON; what of it is too long for Xiaomi is cut or refused here
               .max_batch = 1000,
               .max_targets = 1000,
               .max_window = 1000,
               .max_ttl_ms = UINT64_C(10) * 24 * 3600 * 1000,
               .offline_hold_ms = UINT64_C(10) * 24 * 3600 * 1000,
               .max_collapse_key = 256});
  }

  static Result<std::unique_ptr<MiPush>> create(Host host, std::string_view json) {
    auto config = Config::parse(json);
    if (!config) return std::move(config).error();
    auto pool = godwit::HttpPool::open(host, {.origin = config->origin,
                                              .ca_file = config->ca_file,
                                              .max_connections = config->max_connections,
                                              .request_timeout_ms = config->request_timeout_ms});
    if (!pool) return std::move(pool).error();
    auto channel = std::make_unique<MiPush>(host, std::move(*config), std::move(*pool));
    if (auto opened = channel->feedback_.open(); !opened) return std::move(opened).error();
    return channel;
  }
  MiPush(Host host, Config config, godwit::HttpPool pool)
      : host_(host),
        config_(std::move(config)),
        pool_(std::move(pool)),
        events_(host),
        sender_(host, config_, pool_, events_, [this](const Answer& a) { account_trouble(a); }),
        feedback_(host, config_, events_),
        recalls_(host, config_, pool_) {}

  static void check(std::string_view json, godwit::Report& report) {
    if (const auto config = Config::parse(json))
      config->check(report);
    else
      report.error(config.error().where, config.error().message);
  }

  static void check_address(std::string_view address, godwit::Report& report) {
    const std::string_view name = address_of(address).name;
    if (name.empty() || name.size() > 512 || name.find_first_of(", \t\r\n") != std::string_view::npos)
      report.error("",
                   "a regid (or alias:, account:, topic: and a name) has 1 to 512 characters and no comma or blank");
  }

  // Ready once the secret is known; a changed secret is used from the next call on, and ends trouble with the account.
  void start() override {
    auto watch = godwit::Secrets(host_).watch(config_.app_secret_name, [this](godwit::SecretValue value) {
      if (!value) return host_.set_state(GW_STATE_FAILED, "app_secret: " + value.error().message);
      sender_.use_secret(*value);
      feedback_.begin(sender_.authorization());
      host_.set_window(config_.window);
      host_.set_state(GW_STATE_READY);
    });
    if (!watch) throw std::move(watch).error();
    secret_ = std::move(*watch);
  }

  void submit(godwit::Batch batch) override {
    for (godwit::Pending m : batch) sender_.take(std::move(m));
    sender_.send();
  }

  void cancel(uint64_t ticket) override { sender_.cancel(ticket); }
  void on_event_room() override { events_.flush(); }
  void stop() override { sender_.stop(); }

  void recall(const gw_recall_request& request, godwit::RecallDone done) {
    recalls_.recall(request, sender_.authorization(), std::move(done));
  }

  Result<void> parse_webhook(const godwit::WebhookRequest& request, godwit::WebhookSink& sink) const {
    if (config_.callback_path.empty() || request.tail() != config_.callback_path)
      return godwit::Error{GW_E_DENIED, "not the callback's path", ""};
    const auto receipts = receipts_of(request.body());
    if (!receipts) return receipts.error();
    for (const MiReceipt& r : *receipts) report(r, sink);
    return {};
  }

  Result<void> preview(godwit::Message message, godwit::PreviewSink& sink) const {
    const auto calls = Sender::preview(config_, message);
    if (!calls) return calls.error();
    for (const Sender::CallView& call : *calls) sink.request(config_.origin, call.request, call.first, call.count);
    return {};
  }

  void health(godwit::Report& out) const override {
    const auto count = [&](const char* name, const std::atomic<uint64_t>& n) {
      out.info(name, std::to_string(n.load(std::memory_order_relaxed)));
    };
    count("receipts_push_disabled", heard_.disabled);
    count("receipts_filtered", heard_.filtered);
    count("receipts_expired", heard_.expired);
    count("receipts_device_quota", heard_.device_quota);
  }

 private:
  static constexpr uint64_t kProbeAccountNs = UINT64_C(600) * 1'000'000'000;

  // The host drops what it has heard before, by event_id.
  void report(const MiReceipt& r, godwit::WebhookSink& sink) const {
    const std::string event_id = r.event_id();
    if (!r.replaced_by.empty() && r.replaced_by != r.target)
      sink.event(Event::token_changed(r.target, r.replaced_by, event_id + "/replaced"));
    switch (static_cast<ReceiptType>(r.type)) {
      case ReceiptType::delivered:
        return sink.event(receipt(GW_RECEIPT_DELIVERED, r, event_id));
      case ReceiptType::clicked:
        return sink.event(receipt(GW_RECEIPT_OPENED, r, event_id));
      case ReceiptType::target_invalid:
        if (r.replaced_by.empty()) sink.event(Event::token_invalid(r.target, event_id, r.timestamp_ms));
        return;
      case ReceiptType::quota:
        if (r.quota == 0) return count(heard_.device_quota);  // one phone has had its share of the day
        return report_quota(r, event_id, sink);
      case ReceiptType::push_disabled:
        return count(heard_.disabled);
      case ReceiptType::filtered:
        return count(heard_.filtered);
      case ReceiptType::expired:
        return count(heard_.expired);
    }
  }

  // Which class it is about is not said: with several it is only a notice.
  void report_quota(const MiReceipt& r, const std::string& event_id, godwit::WebhookSink& sink) const {
    const std::string payload = "{\"remaining\":" + std::to_string(std::max<int64_t>(0, r.quota - r.acked)) +
                                ",\"limit\":" + std::to_string(r.quota) +
                                ",\"resets_at_ms\":" + std::to_string(next_midnight_ms(r.timestamp_ms)) + "}";
    Event event;
    event.kind = config_.classes.size() <= 1 ? GW_EVENT_QUOTA : GW_EVENT_NOTICE;
    event.event_id = event_id;
    event.at_wall_ms = r.timestamp_ms;
    event.payload = payload;
    sink.event(event);
  }

  // Named by both ids: a quick callback may be here before the answer that tells the vendor's id.
  static Event receipt(uint32_t kind, const MiReceipt& r, const std::string& event_id) {
    Event event = Event::receipt(kind, r.vendor_id, event_id, r.timestamp_ms);
    event.message_id = r.message_id;
    event.address = r.target;
    return event;
  }

  static void count(std::atomic<uint64_t>& n) { n.fetch_add(1, std::memory_order_relaxed); }

  void account_trouble(const Answer& answer) {
    host_.set_state(GW_STATE_FAILED, "Xiaomi refuses this account: " + answer.word + " " +
                                         std::string(meaning_of(answer.code)) + "; correct it, then change the secret");
    if (is_probing_) return;
    is_probing_ = true;
    // Somebody may have mended it in the console: one message is risked every ten minutes.
    host_.after(kProbeAccountNs, [this] {
      is_probing_ = false;
      host_.set_state(GW_STATE_READY);
    });
  }

  Host host_;
  const Config config_;
  godwit::HttpPool pool_;
  godwit::EventQueue events_;
  Sender sender_;
  Feedback feedback_;
  Recalls recalls_;
  godwit::SecretWatch secret_;
  bool is_probing_ = false;
  // Callbacks that change nothing for the message, but that an operator wants to know of.
  struct Heard {
    std::atomic<uint64_t> disabled{0}, filtered{0}, expired{0}, device_quota{0};
  };
  mutable Heard heard_;
};

}  // namespace mipush

GW_EXPORT_CHANNEL(mipush::MiPush)
