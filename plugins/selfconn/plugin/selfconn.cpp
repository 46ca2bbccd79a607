// The channel of Godwit's own long connection: a thin edge between the host and the gateway. See ../README.md.
#include <string>

#include <godwit/channel.hpp>

#include "plugins/selfconn/gateway/gateway.hpp"
#include "plugins/selfconn/plugin/config.hpp"
#include "plugins/selfconn/plugin/figures.hpp"
#include "selfconn_embedded.hpp"

template <>
struct godwit::ConfigFrom<selfconn::Settings> {
  static godwit::Result<selfconn::Settings> parse(std::string_view json) { return selfconn::parse_settings(json); }
};

namespace selfconn {

class Selfconn final : public godwit::Channel {
 public:
  static constexpr auto describe() {
    return godwit::type("selfconn")
        .name("Long connection (MQTT)")
        .vendor("Godwit")
        .version("0.1.0")
        .license("Apache-2.0")
        .schema(embedded::schema_json)
        .example(embedded::example_json)
        .caps({.receipt_kinds = GW_RECEIPT_DELIVERED | GW_RECEIPT_DISPLAYED | GW_RECEIPT_OPENED | GW_RECEIPT_DISMISSED,
               .flags = GW_CAP_TTL | GW_CAP_PRIORITY | GW_CAP_PRESENCE | GW_CAP_IDEMPOTENT | GW_CAP_ORDERED |
                        GW_CAP_SILENT | GW_CAP_OWNS_LISTENER,
               .max_payload_bytes = kMaxPayload,
               .max_batch = 1000,
               .max_window = 65'536,
               .max_ttl_ms = UINT64_C(30) * 24 * 3600 * 1000,
               .priority_levels = 4});
  }

  static void check(const Settings& settings, godwit::Report& report) { check_settings(settings, report); }
  static godwit::Result<std::unique_ptr<Selfconn>> create(godwit::Host host, Settings settings) {
    return std::make_unique<Selfconn>(host, std::move(settings));
  }
  Selfconn(godwit::Host host, Settings settings)
      : host_(host),
        window_(settings.window),
        has_tls_(!settings.tls_cert_file.empty()),
        figures_(host),
        gateway_(host, std::move(settings)) {}

  void start() override {
    if (!forget_presence()) return;  // goes on in on_event_room
    if (auto begun = begin(); !begun) throw std::move(begun).error();
  }

  void submit(godwit::Batch batch) override { gateway_.submit(batch); }
  void cancel(uint64_t ticket) override { gateway_.cancel(ticket); }

  void on_timer(uint64_t, uint64_t cookie) override {
    if (cookie == kLookAtFiles) {
      gateway_.look_at_files();
      host_.timer_arm(kLookEveryNs, kLookAtFiles);
      return;
    }
    gateway_.on_timer();
    figures_.publish(gateway_.totals());
  }

  void on_event_room() override {
    if (is_running_) return gateway_.event_room();
    if (!forget_presence()) return;
    if (auto begun = begin(); !begun) host_.set_state(GW_STATE_FAILED, begun.error().message);
  }

  godwit::Drain drain(uint64_t deadline_mono_ns) override {
    gateway_.drain(deadline_mono_ns);
    return godwit::Drain::will_say;
  }

  void stop() override {
    if (!is_running_) return;
    gateway_.stop();
    figures_.publish(gateway_.totals());
    forget_presence();
  }

  void health(godwit::Report& out) const override {
    const Totals t = gateway_.totals();
    out.info("devices", std::to_string(t.live));
    out.info("sockets", std::to_string(t.open));
    out.info("connected", std::to_string(t.connected));
    out.info("refused", std::to_string(t.refused));
    out.info("takeovers", std::to_string(t.takeovers));
    out.info("sent", std::to_string(t.sent));
    out.info("acknowledged", std::to_string(t.acknowledged));
  }

 private:
  // "Nobody is here": the full picture follows as devices come. False: the host has no room for it now.
  bool forget_presence() { return host_.event({.kind = GW_EVENT_PRESENCE_RESET}) != GW_E_BUSY; }

  godwit::Result<void> begin() {
    if (auto started = gateway_.start(); !started) return started;
    is_running_ = true;
    host_.set_window(window_);
    host_.set_state(GW_STATE_READY);
    if (has_tls_) host_.timer_arm(kLookEveryNs, kLookAtFiles);
    return {};
  }

  static constexpr uint64_t kLookAtFiles = 1;  // a timer's cookie; 0 is the gateway's tick
  static constexpr uint64_t kLookEveryNs = uint64_t{60} * 1'000'000'000;

  godwit::Host host_;
  const uint32_t window_;
  const bool has_tls_;
  bool is_running_ = false;
  Figures figures_;
  Gateway gateway_;
};

}  // namespace selfconn

GW_EXPORT_CHANNEL(selfconn::Selfconn)
