// What every command gets: where the broker is, which keys there are, and how to print.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "broker/base/result.hpp"
#include "cli/api_client.hpp"
#include "cli/table.hpp"

namespace CLI {
class App;
}

namespace godwit::cli {

struct Context {
  std::string url = "http://127.0.0.1:8480";
  std::string key;         // --key; wins over the two below
  std::string server_key;  // GODWIT_SERVER_KEY
  std::string admin_key;   // GODWIT_ADMIN_KEY
  bool json = false;
  bool color = false;
  int exit_code = 0;

  ApiClient as_server() const { return ApiClient(url, key.empty() ? server_key : key); }
  ApiClient as_admin() const { return ApiClient(url, key.empty() ? admin_key : key); }

  void print(const Table& table) const;
  void print_json(const nlohmann::json& json) const;
  // Prints the error to stderr and makes the program end with 1.
  void fail(const Error& error);
};

// A text member of an answer, empty when absent or null; other types as JSON.
std::string member(const nlohmann::json& object, const char* name);
uint64_t count_of(const nlohmann::json& object, const char* name);

// Each adds its subcommands; the callbacks run while the command line is parsed.
void add_devices(CLI::App& app, Context& context);
void add_messages(CLI::App& app, Context& context);
void add_channels(CLI::App& app, Context& context);
void add_stats(CLI::App& app, Context& context);
void add_keys(CLI::App& app, Context& context);
void add_replay(CLI::App& app, Context& context);
void add_completion(CLI::App& app, Context& context);
void add_demo(CLI::App& app, Context& context);

}  // namespace godwit::cli
