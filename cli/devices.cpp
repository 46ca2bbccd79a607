#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/context.hpp"

namespace godwit::cli {
namespace {

using nlohmann::json;

Table device_table() {
  return Table({{"DEVICE"}, {"USER"}, {"PLATFORM"}, {"MANUFACTURER"}, {"OS"}, {"APP"}, {"CHANNELS"}, {"TAGS"}});
}

void add_row(Table& table, const json& d) {
  std::string channels, tags;
  if (d.contains("channels") && d["channels"].is_object())
    for (const auto& [name, binding] : d["channels"].items())
      channels += (channels.empty() ? "" : " ") + name +
                  (binding.is_object() && binding.value("invalid", false) ? "(dead)" : "");
  if (d.contains("tags") && d["tags"].is_array())
    for (const auto& tag : d["tags"])
      tags += (tags.empty() ? "" : " ") + (tag.is_string() ? tag.get<std::string>() : tag.dump());
  table.row({member(d, "device_id"), member(d, "user_id"), member(d, "platform"), member(d, "manufacturer"),
             member(d, "os_version"), member(d, "app_version"), channels, tags});
}

void show_many(Context& context, const std::string& path) {
  Result<json> answer = context.as_server().get(path);
  if (!answer) return context.fail(answer.error());
  if (context.json) return context.print_json(*answer);
  Table table = device_table();
  for (const json& d : answer->value("devices", json::array())) add_row(table, d);
  context.print(table);
  if (const std::string next = member(*answer, "next_page"); !next.empty())
    std::printf("more: godwit devices list --page %s\n", next.c_str());
}

// What an operator would ask next about a channel that is awake.
std::string note_of(const json& c) {
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : "; ") + text; };
  if (const double health = c.value("health", 1.0); health < 1)
    add("delivers " + percent(health) + " of what it did");
  else if (c.value("alarmed", false))
    add("its receipts are doubted");
  if (!c.value("reporting", true)) add("this device's receipts do not come back");
  if (const double chance = c.value("propensity", 0.0); chance > 0 && chance < 1) add("tried with " + percent(chance));
  return out;
}

void show_route(Context& context, const std::string& id, const std::string& priority) {
  Result<json> answer = context.as_server().get("/v1/devices/" + ApiClient::escape(id) + "/route?priority=" + priority);
  if (!answer) return context.fail(answer.error());
  if (context.json) return context.print_json(*answer);
  Table table({{"CHANNEL"},
               {"CHANCE", Table::Align::right},
               {"RATE", Table::Align::right},
               {"95 % INTERVAL", Table::Align::right},
               {"SAMPLES", Table::Align::right},
               {"RECEIPTS"},
               {"NOTE"}});
  for (const json& c : answer->value("candidates", json::array())) {
    const std::string asleep = member(c, "asleep");
    if (!asleep.empty()) {
      table.row({member(c, "channel"), "", "", "", "", "", "asleep: " + asleep});
      continue;
    }
    char samples[32];
    std::snprintf(samples, sizeof samples, "%.0f", c.value("samples", 0.0));
    table.row({member(c, "channel"), percent(c.value("p", 0.0)), percent(c.value("rate", 0.0)),
               percent(c.value("low", 0.0)) + " – " + percent(c.value("high", 0.0)), samples, member(c, "receipt_kind"),
               note_of(c)});
  }
  context.print(table);
}

}  // namespace

void add_devices(CLI::App& app, Context& context) {
  CLI::App* devices = app.add_subcommand("devices", "registered devices");
  devices->require_subcommand(1);

  auto page = std::make_shared<std::string>();
  CLI::App* list = devices->add_subcommand("list", "the app's devices");
  list->add_option("--page", *page, "continue a listing");
  list->callback([&context, page] {
    show_many(context, page->empty() ? "/v1/devices" : "/v1/devices?page=" + ApiClient::escape(*page));
  });

  auto user = std::make_shared<std::string>();
  CLI::App* of_user = devices->add_subcommand("user", "one user's devices");
  of_user->add_option("USER", *user)->required();
  of_user->callback([&context, user] { show_many(context, "/v1/users/" + ApiClient::escape(*user) + "/devices"); });

  auto id = std::make_shared<std::string>();
  CLI::App* show = devices->add_subcommand("show", "one device");
  show->add_option("DEVICE", *id)->required();
  show->callback([&context, id] {
    Result<json> answer = context.as_server().get("/v1/devices/" + ApiClient::escape(*id));
    if (!answer) return context.fail(answer.error());
    if (context.json) return context.print_json(*answer);
    Table table = device_table();
    add_row(table, *answer);
    context.print(table);
  });

  auto body = std::make_shared<std::string>();
  CLI::App* put = devices->add_subcommand("put", "register a device, or replace its state");
  put->add_option("DEVICE", *id)->required();
  put->add_option("STATE", *body,
                  R"(its state as JSON: '{"user_id":"u42","platform":"android","channels":{"selfconn":{}}}')")
      ->required();
  put->callback([&context, id, body] {
    const json state = json::parse(*body, nullptr, false);
    if (state.is_discarded()) return context.fail({Code::invalid, "STATE is not JSON: " + *body, {}});
    Result<json> answer = context.as_server().call("PUT", "/v1/devices/" + ApiClient::escape(*id), &state);
    if (!answer) return context.fail(answer.error());
    context.print_json(*answer);
  });

  CLI::App* remove = devices->add_subcommand("delete", "forget a device");
  remove->add_option("DEVICE", *id)->required();
  remove->callback([&context, id] {
    Result<json> answer = context.as_server().call("DELETE", "/v1/devices/" + ApiClient::escape(*id));
    if (!answer) return context.fail(answer.error());
    if (!context.json) std::printf("deleted %s\n", id->c_str());
  });

  auto priority = std::make_shared<std::string>("normal");
  CLI::App* route = devices->add_subcommand("route", "which channel a message would take now, and why");
  route->add_option("DEVICE", *id)->required();
  route->add_option("--priority", *priority)
      ->check(CLI::IsMember({"critical", "high", "normal", "low"}))
      ->capture_default_str();
  route->callback([&context, id, priority] { show_route(context, *id, *priority); });
}

}  // namespace godwit::cli
