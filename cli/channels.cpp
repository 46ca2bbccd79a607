#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/context.hpp"

namespace godwit::cli {
namespace {

using nlohmann::json;

// "delivers_less Xiaomi 14 (41 %)"
std::string trouble_line(const json& t) {
  std::string line = member(t, "kind");
  for (const char* part : {"manufacturer", "os", "region"})
    if (const std::string value = member(t, part); !value.empty()) line += " " + value;
  if (t.contains("health")) line += " (" + std::to_string(std::lround(t["health"].get<double>() * 100)) + " %)";
  return line;
}

void show_channels(Context& context, const json& channels) {
  Table table({{"CHANNEL"},
               {"PLUGIN"},
               {"SWITCH"},
               {"STATE"},
               {"WINDOW", Table::Align::right},
               {"IN FLIGHT", Table::Align::right},
               {"QUEUED", Table::Align::right},
               {"CONNECTIONS", Table::Align::right},
               {"NOTE"}});
  for (const json& c : channels) {
    std::string note = member(c, "state_reason");
    if (const std::string held = member(c, "held_until"); !held.empty())
      note += (note.empty() ? "" : "; ") + ("held until " + held + " " + member(c, "hold_reason"));
    for (const json& t : c.value("troubles", json::array())) note += (note.empty() ? "" : "; ") + trouble_line(t);
    table.row({member(c, "name"), member(c, "plugin") + " " + member(c, "version"), member(c, "admin_state"),
               member(c, "state"), grouped(count_of(c, "window")), grouped(count_of(c, "in_flight")),
               grouped(count_of(c, "queued")), grouped(count_of(c, "connections")), note});
  }
  context.print(table);
}

void set_state(Context& context, const std::string& name, const char* state) {
  const json body = {{"state", state}};
  Result<json> answer = context.as_admin().call("PATCH", "/v1/channels/" + ApiClient::escape(name), &body);
  if (!answer) return context.fail(answer.error());
  if (context.json) return context.print_json(*answer);
  show_channels(context, json::array({*answer}));
}

// The first digits tell one build from another.
std::string build(const json& answer, const char* when) {
  return answer.value(std::string("version_") + when, "") + " (" +
         answer.value(std::string("library_") + when, "").substr(0, 8) + ")";
}

void reload(Context& context, const std::string& name) {
  const json body = json::object();
  Result<json> answer = context.as_admin().call("POST", "/v1/channels/" + ApiClient::escape(name) + "/reload", &body);
  if (!answer) return context.fail(answer.error());
  if (context.json) return context.print_json(*answer);
  std::printf("%s: a fresh instance serves since %lld ms after the call; %s -> %s\n", name.c_str(),
              answer->value("took_ms", 0LL), build(*answer, "before").c_str(), build(*answer, "after").c_str());
}

}  // namespace

void add_channels(CLI::App& app, Context& context) {
  CLI::App* channels = app.add_subcommand("channels", "channel instances and their switches (admin key)");
  channels->require_subcommand(1);
  channels->add_subcommand("list", "every channel and its state")->callback([&context] {
    Result<json> answer = context.as_admin().get("/v1/channels");
    if (!answer) return context.fail(answer.error());
    if (context.json) return context.print_json(*answer);
    show_channels(context, answer->value("channels", json::array()));
  });
  const auto add_switch = [&](const char* verb, const char* state, const char* help) {
    auto name = std::make_shared<std::string>();
    CLI::App* command = channels->add_subcommand(verb, help);
    command->add_option("CHANNEL", *name)->required();
    command->callback([&context, name, state] { set_state(context, *name, state); });
  };
  add_switch("enable", "enabled", "let messages through again");
  add_switch("drain", "draining", "finish what is in flight, take nothing new");
  add_switch("disable", "disabled", "stop at once; messages take other channels");
  auto name = std::make_shared<std::string>();
  CLI::App* command =
      channels->add_subcommand("reload", "put a fresh instance in its place, from the plugin's file as it is");
  command->add_option("CHANNEL", *name)->required();
  command->callback([&context, name] { reload(context, *name); });
}

}  // namespace godwit::cli
