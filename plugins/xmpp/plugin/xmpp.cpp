// The channel: a thin edge between the host and the worker. See ../README.md.
#include <godwit/channel.hpp>
#include <godwit/services/secret.hpp>
#include <string>

#include "plugins/xmpp/plugin/config.hpp"
#include "plugins/xmpp/plugin/figures.hpp"
#include "plugins/xmpp/session/worker.hpp"
#include "xmpp_embedded.hpp"

namespace xmpp {

class Xmpp final : public godwit::Channel {
 public:
  static constexpr auto describe() {
    return godwit::type("xmpp")
        .name("XMPP and Androidpn")
        .vendor("Godwit")
        .version("0.1.0")
        .license("Apache-2.0")
        .schema(embedded::schema_json)
        .example(embedded::example_json)
        .caps({.receipt_kinds = GW_RECEIPT_ACCEPTED | GW_RECEIPT_DELIVERED | GW_RECEIPT_DISPLAYED | GW_RECEIPT_OPENED |
                                GW_RECEIPT_DISMISSED,
               .flags = GW_CAP_TTL | GW_CAP_PRESENCE | GW_CAP_ORDERED | GW_CAP_SILENT,
               .max_payload_bytes = kMaxPayload,
               .max_batch = 1'000,
               .max_window = 65'536,
               .max_ttl_ms = UINT64_C(30) * 24 * 3600 * 1000,
               .priority_levels = 1});
  }

  static void check(const Settings& settings, godwit::Report& report) { check_settings(settings, report); }
  static void check_address(std::string_view address, godwit::Report& report) {
    if (!Jid::parse(address)) report.error("", "a token is an XMPP address (user@domain), or a user name of `domain`");
  }
  static godwit::Result<std::unique_ptr<Xmpp>> create(godwit::Host host, Settings settings) {
    return std::make_unique<Xmpp>(host, std::move(settings));
  }
  Xmpp(godwit::Host host, Settings settings)
      : host_(host),
        window_(settings.window),
        password_(host, settings.password),
        figures_(host),
        worker_(host, std::move(settings)) {}

  void start() override {
    host_.set_window(window_);
    host_.set_state(GW_STATE_STARTING, "connecting");
    worker_.start();
    password_.watch([this](godwit::Result<void> known) {
      if (known) return worker_.set_password(*password_.value());
      if (!password_.value()) host_.set_state(GW_STATE_DOWN, "no password: " + known.error().message);
    });
    tick();
  }

  void submit(godwit::Batch batch) override { worker_.submit(batch); }
  void cancel(uint64_t ticket) override { worker_.cancel(ticket); }
  void on_timer(uint64_t, uint64_t) override { tick(); }
  void on_event_room() override { worker_.event_room(); }
  void stop() override {
    worker_.stop();
    figures_.publish(worker_.totals());
  }

  void health(godwit::Report& out) const override {
    const Totals& t = worker_.totals();
    const auto say = [&](const char* name, const Count& count) { out.info(name, std::to_string(count.get())); };
    say("up", t.is_up);
    say("open", t.open);
    say("unconfirmed", t.unconfirmed);
    say("devices", t.online);
    say("sent", t.sent);
    say("sent_again", t.sent_again);
    say("confirmed", t.confirmed);
    say("receipts", t.receipts);
    say("refused", t.refused);
    say("cuts", t.cuts);
  }

 private:
  void tick() {
    worker_.tick();
    figures_.publish(worker_.totals());
    host_.timer_arm(kTickNs, 0);
  }

  godwit::Host host_;
  const uint32_t window_;
  godwit::LiveSecret password_;
  Figures figures_;
  Worker worker_;
};

}  // namespace xmpp

GW_EXPORT_CHANNEL(xmpp::Xmpp)
