// Xinge / TPNS (信鸽, 腾讯移动推送): the channel. How it signs is sign.*, what a code means errors.*.
#include <godwit/channel.hpp>
#include <godwit/event_queue.hpp>
#include <godwit/preview.hpp>
#include <godwit/services/http.hpp>
#include <godwit/services/secret.hpp>

#include "address.hpp"
#include "config.hpp"
#include "sender.hpp"
#include "statistics.hpp"
#include "xinge_embedded.hpp"

namespace xinge {

using godwit::Host;
using godwit::Result;

class Xinge final : public godwit::Channel {
 public:
  static constexpr auto describe() {
    return godwit::type("xinge")
        .name("Xinge / TPNS")
        .vendor("Tencent")
        .version("1.0.0")
        .license("Apache-2.0")
        .docs("https://cloud.tencent.com/document/product/548")
        .schema(embedded::schema_json)
        .example(embedded::example_json)
        // No receipts of single messages exist: figures of whole pushes come as events instead.
        .caps({.receipt_kinds = GW_RECEIPT_ACCEPTED,
               .flags = GW_CAP_TTL | GW_CAP_OFFLINE_HOLD | GW_CAP_MULTICAST | GW_CAP_TOKEN_FEEDBACK | GW_CAP_SILENT,
               .max_payload_bytes = 8192,
               .max_batch = 64,
               .max_targets = 1000,
               .max_window = 1000,
               .max_ttl_ms = UINT64_C(259'200) * 1000,
               .offline_hold_ms = UINT64_C(259'200) * 1000});
  }

  static Result<std::unique_ptr<Xinge>> create(Host host, std::string_view json) {
    auto config = Config::parse(json);
    if (!config) return std::move(config).error();
    auto pool = godwit::HttpPool::open(host, {.origin = config->origin,
                                              .ca_file = config->ca_file,
                                              .max_connections = config->max_connections,
                                              .request_timeout_ms = config->request_timeout_ms});
    if (!pool) return std::move(pool).error();
    return std::make_unique<Xinge>(host, std::move(*config), std::move(*pool));
  }
  Xinge(Host host, Config config, godwit::HttpPool pool)
      : host_(host),
        config_(std::move(config)),
        pool_(std::move(pool)),
        events_(host),
        signer_(host, config_),
        statistics_(host, config_, pool_, signer_, events_),
        sender_(host, config_, pool_, signer_, statistics_, [this](const Answer& a) { account_trouble(a); }) {}

  static void check(std::string_view json, godwit::Report& report) {
    if (const auto config = Config::parse(json))
      config->check(report);
    else
      report.error(config.error().where, config.error().message);
  }

  static void check_address(std::string_view address, godwit::Report& report) {
    const Address target = address_of(address);
    const size_t most = target.kind == Kind::token ? 64 : 512;
    if (target.name.empty() || target.name.size() > most)
      report.error("", "a token has 1 to 64 characters; accounts and tags are written account:NAME and tag:NAME");
  }

  void start() override {
    auto watch = godwit::Secrets(host_).watch(config_.secret_key_name, [this](godwit::SecretValue value) {
      if (!value) return host_.set_state(GW_STATE_FAILED, "secret_key: " + value.error().message);
      signer_.use_secret(*value);
      host_.set_window(config_.window);
      host_.set_state(GW_STATE_READY);
    });
    if (!watch) throw std::move(watch).error();
    secret_ = std::move(*watch);
  }

  void submit(godwit::Batch batch) override {
    for (godwit::Pending m : batch) sender_.send(std::move(m));
  }
  void on_event_room() override { events_.flush(); }

  Result<void> preview(godwit::Message message, godwit::PreviewSink& sink) const {
    const auto calls = Sender::preview(config_, message);
    if (!calls) return calls.error();
    for (const Sender::CallView& call : *calls) sink.request(config_.origin, call.request, call.first, call.count);
    return {};
  }

 private:
  static constexpr uint64_t kProbeAccountNs = UINT64_C(600) * 1'000'000'000;

  void account_trouble(const Answer& answer) {
    host_.set_state(GW_STATE_FAILED, "Tencent refuses this account: " + answer.word + " " + answer.reason +
                                         "; check access_id, secret_key, access_point and the clock");
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
  Signer signer_;
  Statistics statistics_;
  Sender sender_;
  godwit::SecretWatch secret_;
  bool is_probing_ = false;
};

}  // namespace xinge

GW_EXPORT_CHANNEL(xinge::Xinge)
