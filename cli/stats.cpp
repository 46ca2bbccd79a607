#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/context.hpp"

namespace godwit::cli {

using nlohmann::json;

void add_stats(CLI::App& app, Context& context) {
  CLI::App* stats = app.add_subcommand("stats", "what the channels really deliver");
  auto by = std::make_shared<std::string>("channel");
  auto window = std::make_shared<std::string>("24h");
  stats->add_option("--by", *by, "channel,manufacturer,os,app_version: one or several")->capture_default_str();
  stats->add_option("--window", *window, "how far back, such as 1h, 24h; 7d at most")->capture_default_str();
  stats->callback([&context, by, window] {
    Result<json> answer = context.as_server().get("/v1/stats/delivery?by=" + ApiClient::escape(*by) +
                                                  "&window=" + ApiClient::escape(*window));
    if (!answer) return context.fail(answer.error());
    if (context.json) return context.print_json(*answer);
    Table table({{"CHANNEL"},
                 {"MANUFACTURER"},
                 {"OS"},
                 {"APP"},
                 {"RECEIPTS"},
                 {"SENT", Table::Align::right},
                 {"SETTLED", Table::Align::right},
                 {"DELIVERED", Table::Align::right},
                 {"RATE", Table::Align::right},
                 {"95 % INTERVAL", Table::Align::right},
                 {"MEDIAN", Table::Align::right}});
    for (const json& r : answer->value("rates", json::array())) {
      char delay[32];
      std::snprintf(delay, sizeof delay, "%.2f s", r.value("median_delay_s", 0.0));
      const bool measured = r.contains("rate") && r["rate"].is_number();
      table.row({member(r, "channel"), member(r, "manufacturer"), member(r, "os"), member(r, "app_version"),
                 member(r, "receipt_kind"), grouped(count_of(r, "sent")), grouped(count_of(r, "settled")),
                 grouped(count_of(r, "delivered")), measured ? percent(r["rate"].get<double>()) : "–",
                 measured ? percent(r.value("low", 0.0)) + " – " + percent(r.value("high", 0.0)) : "",
                 r.contains("median_delay_s") ? delay : ""});
    }
    context.print(table);
  });
}

}  // namespace godwit::cli
