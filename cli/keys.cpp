#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "broker/base/encoding.hpp"
#include "cli/context.hpp"

namespace godwit::cli {
namespace {

using nlohmann::json;

void generate(Context& context, const std::string& kind) {
  const std::string key = (kind == "server"   ? "gws_"
                           : kind == "client" ? "gwc_"
                                              : "gwa_") +
                          to_base64url(random_bytes(24));
  const std::string hash = "sha256:" + to_hex(sha256(key));
  if (context.json) return context.print_json({{"kind", kind}, {"key", key}, {"config", hash}});
  std::printf("key     %s   (give it to its user; it is not stored)\nconfig  %s   (put this into godwit.yaml)\n",
              key.c_str(), hash.c_str());
}

}  // namespace

void add_keys(CLI::App& app, Context& context) {
  CLI::App* keys = app.add_subcommand("keys", "make keys, and see which the broker knows");
  keys->require_subcommand(1);

  auto kind = std::make_shared<std::string>("server");
  CLI::App* make =
      keys->add_subcommand("generate", "a new random key and the hash for the configuration (works without a broker)");
  make->add_option("KIND", *kind)->check(CLI::IsMember({"server", "client", "admin"}))->capture_default_str();
  make->callback([&context, kind] { generate(context, *kind); });

  keys->add_subcommand("hash", "the configuration's form of a key read from standard input")->callback([&context] {
    std::string key;
    if (!std::getline(std::cin, key) || key.empty())
      return context.fail({Code::invalid, "give the key on standard input", {}});
    std::printf("sha256:%s\n", to_hex(sha256(key)).c_str());
  });

  keys->add_subcommand("list", "which keys the broker knows, masked (admin key)")->callback([&context] {
    Result<json> answer = context.as_admin().get("/v1/keys");
    if (!answer) return context.fail(answer.error());
    if (context.json) return context.print_json(*answer);
    Table table({{"APP"}, {"KIND"}, {"SHA-256 BEGINS WITH"}});
    for (const json& k : answer->value("keys", json::array()))
      table.row({member(k, "app"), member(k, "kind"), member(k, "sha256_prefix")});
    context.print(table);
  });
}

}  // namespace godwit::cli
