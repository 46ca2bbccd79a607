// godwit: the operator's and developer's command line over a broker's HTTP API.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <clocale>

#include "cli/context.hpp"

int main(int argc, char** argv) {
  std::setlocale(LC_CTYPE, "C.UTF-8");  // widths of table cells
  godwit::cli::Context context;
  context.color = isatty(STDOUT_FILENO) && !std::getenv("NO_COLOR");

  CLI::App app{
      "godwit talks to a Godwit broker: devices, messages, channels and what they really deliver.\n"
      "The broker and the keys come from GODWIT_URL, GODWIT_SERVER_KEY and GODWIT_ADMIN_KEY\n"
      "(./run.sh writes them to run/godwit.env), or from --url and --key."};
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--url", context.url, "where the broker listens")->envname("GODWIT_URL")->capture_default_str();
  app.add_option("--key", context.key, "the key to use, instead of the two below");
  app.add_option("--server-key", context.server_key, "an app's server key")->envname("GODWIT_SERVER_KEY")->group("");
  app.add_option("--admin-key", context.admin_key, "an admin key")->envname("GODWIT_ADMIN_KEY")->group("");
  app.add_flag("--json", context.json, "JSON for programs instead of tables for people");
  app.set_version_flag("--version", GODWIT_VERSION);

  godwit::cli::add_devices(app, context);
  godwit::cli::add_messages(app, context);
  godwit::cli::add_channels(app, context);
  godwit::cli::add_stats(app, context);
  godwit::cli::add_keys(app, context);
  godwit::cli::add_replay(app, context);
  godwit::cli::add_demo(app, context);
  godwit::cli::add_completion(app, context);
  CLI11_PARSE(app, argc, argv);
  return context.exit_code;
}
