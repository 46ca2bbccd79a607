// godwit demo: a broker with four channels of hidden quality, a fleet of phones, and a live table that shows how the
// measured rates converge, how traffic moves to the better channels, and what happens when one of them is switched off.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "broker/base/encoding.hpp"
#include "cli/context.hpp"
#include "cli/demo/fleet.hpp"
#include "cli/progress.hpp"
#include "tools/broker_process.hpp"

namespace godwit::cli {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

std::atomic<bool> stop_wished{false};

struct Options {
  int devices = 300;
  int rate = 100;      // messages per second
  double seconds = 0;  // 0: until Ctrl-C
  double off_at = 25, on_at = 45;
};

struct Totals {
  uint64_t sent = 0, delivered = 0;
};
using Cells = std::map<std::pair<std::string, std::string>, Totals>;  // (channel, maker)

class Demo {
 public:
  Demo(const Options& options, bool color, const std::string& url)
      : options_(options),
        color_(color),
        api_(url, std::getenv("GODWIT_SERVER_KEY")),
        admin_(url, std::getenv("GODWIT_ADMIN_KEY")) {}

  Result<void> run() {
    if (Result<void> done = register_fleet(); !done) return done;
    const auto start = Clock::now();
    auto next_draw = start;
    double owed = 0;
    auto before = start;
    while (!stop_wished) {
      const auto now = Clock::now();
      elapsed_ = std::chrono::duration<double>(now - start).count();
      if (options_.seconds > 0 && elapsed_ >= options_.seconds) break;
      owed += std::chrono::duration<double>(now - before).count() * options_.rate;
      before = now;
      if (const int n = static_cast<int>(owed); n > 0) {
        owed -= n;
        if (Result<void> done = send(n); !done) return done;
      }
      if (Result<void> done = follow_script(); !done) return done;
      if (now >= next_draw) {
        next_draw = now + std::chrono::milliseconds(500);
        if (Result<void> done = draw(); !done) return done;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return draw();
  }

 private:
  Result<void> register_fleet() {
    Progress progress("registering phones", static_cast<uint64_t>(options_.devices));
    for (int n = 0; n < options_.devices && !stop_wished; ++n) {
      Result<std::string> answer =
          api_.call_text("PUT", "/v1/devices/phone-" + std::to_string(n), demo_device(n), "application/json");
      if (!answer) return std::move(answer).error();
      progress.add(1);
    }
    return {};
  }

  Result<void> send(int n) {
    std::string batch;
    for (int i = 0; i < n; ++i) {
      const auto device = std::uniform_int_distribution<int>(0, options_.devices - 1)(random_);
      batch += json{{"to", {{"user", "user-" + std::to_string(device)}}},
                    {"notification", {{"title", "demo"}, {"body", "hello"}}},
                    {"options", {{"ttl", 60}, {"priority", "high"}}}}
                   .dump() +
               "\n";
    }
    Result<std::string> answer = api_.call_text("POST", "/v1/messages/batch", batch, "application/x-ndjson");
    if (!answer) return std::move(answer).error();
    messages_ += static_cast<uint64_t>(n);
    return {};
  }

  // One channel, the best of the first maker, goes off and comes back.
  Result<void> follow_script() {
    const bool should_be_off = elapsed_ >= options_.off_at && elapsed_ < options_.on_at;
    if (should_be_off == off_) return {};
    off_ = should_be_off;
    const json body = {{"state", off_ ? "disabled" : "enabled"}};
    Result<json> answer = admin_.call("PATCH", "/v1/channels/" + demo_channels().front().name, &body);
    if (!answer) return std::move(answer).error();
    return {};
  }

  Result<Cells> read_cells() {
    Result<json> answer = api_.get("/v1/stats/delivery?by=channel,manufacturer&window=1h");
    if (!answer) return std::move(answer).error();
    Cells cells;
    rates_.clear();
    for (const json& r : answer->value("rates", json::array())) {
      const auto key = std::make_pair(member(r, "channel"), member(r, "manufacturer"));
      cells[key] = {count_of(r, "sent"), count_of(r, "delivered")};
      rates_[key] = r;
    }
    return cells;
  }

  Result<void> draw() {
    Result<Cells> cells = read_cells();
    if (!cells) return std::move(cells).error();
    history_.push_back({Clock::now(), *cells});
    while (history_.size() > 1 && Clock::now() - history_[1].first > std::chrono::seconds(5))
      history_.erase(history_.begin());
    Table table({{"MAKER"},
                 {"CHANNEL"},
                 {"TRUE RATE", Table::Align::right},
                 {"MEASURED", Table::Align::right},
                 {"95 % INTERVAL", Table::Align::right},
                 {"SENT", Table::Align::right},
                 {"SHARE OF THE LAST 5 s"}});
    for (const std::string& maker : demo_makers()) {
      uint64_t recent_total = 0;
      for (const DemoChannel& c : demo_channels()) recent_total += recent(*cells, c.name, maker);
      bool first = true;
      for (const DemoChannel& c : demo_channels()) {
        const json rate = rates_.count({c.name, maker}) ? rates_[{c.name, maker}] : json::object();
        const bool measured = rate.contains("rate") && rate["rate"].is_number() && count_of(rate, "sent") > 0;
        const double share = recent_total ? double(recent(*cells, c.name, maker)) / double(recent_total) : 0;
        const bool off = off_ && c.name == demo_channels().front().name;
        table.row({first ? maker : "", c.name + (off ? " (off)" : ""), percent(c.deliver_by.at(maker)),
                   measured ? percent(rate["rate"].get<double>()) : "–",
                   measured ? percent(rate.value("low", 0.0)) + " – " + percent(rate.value("high", 0.0)) : "",
                   grouped(count_of(rate, "sent")), bar(share, 24) + (share > 0 ? " " + percent(share) : "")});
        first = false;
      }
    }
    uint64_t sent = 0, delivered = 0;
    for (const auto& [key, totals] : *cells) sent += totals.sent, delivered += totals.delivered;
    std::string screen = color_ ? "\033[H\033[J" : "";
    char head[200];
    std::snprintf(head, sizeof head, "Godwit demo, %.0f s: %s messages, %s sends, %s delivered (%s of messages)\n",
                  elapsed_, grouped(messages_).c_str(), grouped(sent).c_str(), grouped(delivered).c_str(),
                  percent(messages_ ? std::min(1.0, double(delivered) / double(messages_)) : 0).c_str());
    screen += head + story() + "\n" + table.text(color_);
    std::fputs(screen.c_str(), stdout);
    std::fflush(stdout);
    return {};
  }

  uint64_t recent(const Cells& now, const std::string& channel, const std::string& maker) const {
    const auto key = std::make_pair(channel, maker);
    const auto before = history_.front().second.find(key), after = now.find(key);
    const uint64_t old = before == history_.front().second.end() ? 0 : before->second.sent;
    return after == now.end() ? 0 : after->second.sent - std::min(old, after->second.sent);
  }

  std::string story() const {
    const std::string name = demo_channels().front().name;
    char text[160];
    if (elapsed_ < options_.off_at)
      std::snprintf(text, sizeof text,
                    "The broker learns which channel works for which maker. In %.0f s '%s' is switched off.\n",
                    options_.off_at - elapsed_, name.c_str());
    else if (elapsed_ < options_.on_at)
      std::snprintf(text, sizeof text,
                    "'%s' is switched off; its traffic takes the next best. It comes back in %.0f s.\n", name.c_str(),
                    options_.on_at - elapsed_);
    else
      std::snprintf(text, sizeof text, "'%s' is back. Ctrl-C ends the demo.\n", name.c_str());
    return text;
  }

  const Options options_;
  const bool color_;
  ApiClient api_, admin_;
  std::mt19937 random_{7};
  double elapsed_ = 0;
  uint64_t messages_ = 0;
  bool off_ = false;
  std::map<std::pair<std::string, std::string>, json> rates_;
  std::vector<std::pair<Clock::time_point, Cells>> history_;
};

}  // namespace

void add_demo(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* demo =
      app.add_subcommand("demo", "a simulated fleet on channels of hidden quality, live (starts its own broker)");
  demo->add_option("--devices", options->devices, "phones in the fleet")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  demo->add_option("--rate", options->rate, "messages per second")->check(CLI::Range(1, 10'000))->capture_default_str();
  demo->add_option("--seconds", options->seconds, "end after this time (0: Ctrl-C ends it)")
      ->check(CLI::NonNegativeNumber);
  demo->add_option("--off-at", options->off_at, "when the first channel is switched off, in seconds")
      ->capture_default_str();
  demo->add_option("--on-at", options->on_at, "when it comes back")->capture_default_str();
  demo->callback([&context, options] {
    signal(SIGINT, [](int) { stop_wished = true; });
    signal(SIGTERM, [](int) { stop_wished = true; });
    setenv("GODWIT_SERVER_KEY", ("gws_" + to_base64url(random_bytes(18))).c_str(), 1);
    setenv("GODWIT_ADMIN_KEY", ("gwa_" + to_base64url(random_bytes(18))).c_str(), 1);
    BrokerProcess broker;
    const auto config = [](const BrokerProcess::Place& p) {
      return demo_config((p.directory / "data").string(), p.http_port);
    };
    if (Result<void> done = broker.start(config); !done) return context.fail(done.error());
    if (Result<void> done = Demo(*options, context.color, broker.url()).run(); !done) context.fail(done.error());
  });
}

}  // namespace godwit::cli
