#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/context.hpp"
#include "cli/progress.hpp"

namespace godwit::cli {
namespace {

using nlohmann::json;

constexpr size_t kLinesPerCall = 1000;

struct Send {
  std::string user, device, topic, title, body, data, priority, key, file;
  bool all = false, silent = false;
  int64_t ttl = -1;
  std::vector<std::string> channels;
};

Result<json> message_of(const Send& send) {
  json message;
  if (send.all) message["to"] = {{"all", true}};
  if (!send.user.empty()) message["to"]["user"] = send.user;
  if (!send.device.empty()) message["to"]["device"] = send.device;
  if (!send.topic.empty()) message["to"]["topic"] = send.topic;
  if (!message.contains("to"))
    return Error{Code::invalid, "say whom it is for: --user, --device, --topic or --all", {}};
  if (!send.title.empty()) message["notification"]["title"] = send.title;
  if (!send.body.empty()) message["notification"]["body"] = send.body;
  if (!send.data.empty()) {
    message["data"] = json::parse(send.data, nullptr, false);
    if (message["data"].is_discarded()) return Error{Code::invalid, "--data is not JSON: " + send.data, {}};
  }
  if (send.ttl >= 0) message["options"]["ttl"] = send.ttl;
  if (!send.priority.empty()) message["options"]["priority"] = send.priority;
  if (send.silent) message["options"]["silent"] = true;
  if (!send.channels.empty()) message["options"]["channels"] = send.channels;
  return message;
}

// Sends a file of messages, a JSON object a line, in batches; prints the answer lines and counts the refused.
void send_file(Context& context, const std::string& path) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  if (path != "-" && !file) return context.fail({Code::invalid, "cannot read " + path, path});
  std::istream& in = path == "-" ? std::cin : file;
  uint64_t total = 0;
  if (path != "-") {
    for (std::string line; std::getline(in, line);) total += !line.empty();
    in.clear();
    in.seekg(0);
  }
  ApiClient api = context.as_server();
  Progress progress("sending", total);
  uint64_t sent = 0, refused = 0;
  std::string batch, line;
  size_t lines = 0;
  const auto flush = [&]() -> bool {
    if (lines == 0) return true;
    Result<std::string> answer = api.call_text("POST", "/v1/messages/batch", batch, "application/x-ndjson");
    if (!answer) return context.fail(answer.error()), false;
    std::istringstream answers(*answer);
    for (std::string text; std::getline(answers, text);) {
      const json item = json::parse(text, nullptr, false);
      const bool error = !item.is_object() || item.contains("error");
      (error ? refused : sent)++;
      if (context.json || error) std::printf("%s\n", text.c_str());
    }
    progress.add(lines);
    batch.clear();
    lines = 0;
    return true;
  };
  while (std::getline(in, line)) {
    if (line.empty()) continue;
    batch += line + "\n";
    if (++lines == kLinesPerCall && !flush()) return;
  }
  if (!flush()) return;
  if (!context.json) std::printf("%s accepted, %s refused\n", grouped(sent).c_str(), grouped(refused).c_str());
  if (refused) context.exit_code = 1;
}

void send(Context& context, const Send& options) {
  if (!options.file.empty()) return send_file(context, options.file);
  Result<json> message = message_of(options);
  if (!message) return context.fail(message.error());
  Result<json> answer = context.as_server().call("POST", "/v1/messages", &*message);
  if (!answer) return context.fail(answer.error());
  if (context.json) return context.print_json(*answer);
  std::printf("%s  %s, %s recipients\n", member(*answer, "message_id").c_str(), member(*answer, "status").c_str(),
              member(*answer, "recipients").c_str());
}

void show(Context& context, const std::string& id, bool why) {
  ApiClient api = context.as_server();
  const std::string path = "/v1/messages/" + ApiClient::escape(id);
  Result<json> message = api.get(path);
  if (!message) return context.fail(message.error());
  Result<json> page = api.get(path + "/deliveries");
  if (!page) return context.fail(page.error());
  if (context.json) {
    (*message)["deliveries"] = page->value("deliveries", json::array());
    return context.print_json(*message);
  }
  std::printf("message  %s\nstatus   %s\n", member(*message, "message_id").c_str(), member(*message, "status").c_str());
  std::string counts;
  const json by_state = message->value("counts", json::object());  // items() does not keep a temporary alive
  for (const auto& [name, n] : by_state.items())
    if (n.is_number_unsigned() && n.get<uint64_t>())
      counts += (counts.empty() ? "" : ", ") + name + " " + grouped(n.get<uint64_t>());
  std::printf("counts   %s\n\n", counts.c_str());
  std::vector<Table::Column> columns{{"DEVICE"}, {"STATE"}, {"ATTEMPT"}, {"CHANNEL"},
                                     {"RESULT"}, {"TIME"},  {"RECEIPTS"}};
  if (why) columns.push_back({"WHY"});
  Table table(std::move(columns));
  for (const json& d : page->value("deliveries", json::array())) {
    const std::string reason = member(d, "reason");
    std::string state = member(d, "state") + (reason.empty() ? "" : " (" + reason + ")"),
                device = member(d, "device_id"), receipts;
    for (const json& r : d.value("receipts", json::array()))
      receipts += (receipts.empty() ? "" : ", ") + member(r, "event") + " [" + member(r, "kind") + "]";
    const json attempts = d.value("attempts", json::array());
    if (attempts.empty()) table.row({device, state, "", "", "", "", receipts});
    for (const json& a : attempts) {
      std::vector<std::string> cells{
          device,
          state,
          member(a, "number"),
          member(a, "channel"),
          member(a, "result") + (member(a, "vendor_code").empty() ? "" : " " + member(a, "vendor_code")),
          member(a, "started_at"),
          receipts};
      if (why) cells.push_back(member(a, "why"));
      table.row(std::move(cells));
      device.clear(), state.clear(), receipts.clear();  // once per device
    }
  }
  context.print(table);
  if (const std::string next = member(*page, "next_page"); !next.empty())
    std::printf("… and more; --json and ?page= show all\n");
}

void tail(Context& context) {
  const auto print = [&](std::string_view line) {
    if (!line.starts_with("data:")) return true;
    const json event = json::parse(line.substr(5), nullptr, false);
    if (!event.is_object()) return true;
    if (context.json) {
      std::printf("%s\n", event.dump().c_str());
    } else {
      std::printf("%s  %-26s  %-10s  %-12s  %-12s %s\n", member(event, "at").c_str(),
                  member(event, "message_id").c_str(), member(event, "event").c_str(),
                  member(event, "device_id").c_str(), member(event, "channel").c_str(),
                  member(event, "detail").c_str());
    }
    std::fflush(stdout);
    return true;
  };
  if (Result<void> done = context.as_server().stream("/v1/events", print); !done) context.fail(done.error());
}

}  // namespace

void add_messages(CLI::App& app, Context& context) {
  CLI::App* messages = app.add_subcommand("messages", "send messages and follow them");
  messages->require_subcommand(1);

  auto options = std::make_shared<Send>();
  CLI::App* s = messages->add_subcommand("send", "send one message, or a file of them");
  s->add_option("--user", options->user, "to a user's devices");
  s->add_option("--device", options->device, "to one device");
  s->add_option("--topic", options->topic, "to a topic's devices");
  s->add_flag("--all", options->all, "to every device of the app");
  s->add_option("--title", options->title, "the notification's title");
  s->add_option("--body", options->body, "the notification's text");
  s->add_option("--data", options->data, "a JSON object for the app");
  s->add_option("--ttl", options->ttl, "seconds that it may wait");
  s->add_option("--priority", options->priority)->check(CLI::IsMember({"critical", "high", "normal", "low"}));
  s->add_option("--channel", options->channels, "allow only these channels");
  s->add_flag("--silent", options->silent, "wake the app without showing anything");
  s->add_option("--file", options->file, "NDJSON, a message a line ('-': standard input)");
  s->callback([&context, options] { send(context, *options); });

  auto id = std::make_shared<std::string>();
  auto why = std::make_shared<bool>(false);
  CLI::App* sh = messages->add_subcommand("show", "where a message is, with every attempt");
  sh->add_option("MESSAGE", *id)->required();
  sh->add_flag("--why", *why, "why each channel was chosen");
  sh->callback([&context, id, why] { show(context, *id, *why); });
  CLI::App* explain = app.add_subcommand("explain", "the same as messages show --why");
  explain->add_option("MESSAGE", *id)->required();
  explain->callback([&context, id] { show(context, *id, true); });

  CLI::App* cancel = messages->add_subcommand("cancel", "stop what has not gone out");
  cancel->add_option("MESSAGE", *id)->required();
  cancel->callback([&context, id] {
    Result<json> answer = context.as_server().call("DELETE", "/v1/messages/" + ApiClient::escape(*id));
    if (!answer) return context.fail(answer.error());
    context.print_json(*answer);
  });

  messages->add_subcommand("tail", "every step of every message, live")->callback([&context] { tail(context); });
  app.add_subcommand("tail", "the same as messages tail")->callback([&context] { tail(context); });
}

}  // namespace godwit::cli
