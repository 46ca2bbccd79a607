#include "broker/app/application.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <chrono>
#include <thread>

#include "broker/api/api_server.hpp"
#include "broker/app/decision_file.hpp"
#include "broker/app/metrics_export.hpp"
#include "broker/app/module_options.hpp"
#include "broker/base/clock.hpp"
#include "broker/channels/plugin_host.hpp"
#include "broker/engine/engine.hpp"
#include "broker/net/vendor_client.hpp"
#include "broker/observe/log.hpp"
#include "broker/observe/metrics.hpp"
#include "broker/observe/version.hpp"
#include "broker/registry/credential_keys.hpp"
#include "broker/storage/data_dir.hpp"
#include "broker/storage/group_commit.hpp"
#include "broker/storage/sqlite/sqlite_catalogue.hpp"
#include "broker/storage/sqlite/sqlite_journal.hpp"

namespace godwit {

// In the order of construction: each stands on those before it, so that destruction takes them down safely.
struct Application::Parts {
  Config config;
  SystemClock clock;
  std::unique_ptr<DataDir> data_dir;
  std::unique_ptr<SqliteJournal> journal;
  std::unique_ptr<SqliteCatalogue> catalogue;
  SecondsHistogram commit_seconds;
  std::unique_ptr<GroupCommit> group_commit;
  std::unique_ptr<GroupCommitLedger> ledger;
  std::unique_ptr<CredentialSigner> signer;
  std::unique_ptr<net::VendorClient> http;
  std::unique_ptr<channels::PluginHost> host;
  std::unique_ptr<Engine> engine;
  Metrics metrics;
  std::unique_ptr<ApiServer> api;
  SpaceLevel space = SpaceLevel::plenty;
  MonoNs next_space_look_ns = 0;

  Result<void> open_storage();
  Result<void> open_channels(ExitCode& code);
  Result<void> start_engine();
  Result<void> start_channels();
  Result<void> start_api();
};

Application::Application(Config config) : parts_(std::make_unique<Parts>()) {
  parts_->config = std::move(config);
}

Application::~Application() = default;

Result<void> Application::start(ExitCode& code) {
  Parts& p = *parts_;
  set_up_log(p.config.log.level, p.config.log.format);
  net::init_curl();
  code = ExitCode::temporary;
  if (Result<void> done = p.open_storage(); !done) return done;
  if (Result<void> done = p.open_channels(code); !done) return done;
  if (Result<void> done = p.start_engine(); !done) return done;
  if (Result<void> done = p.start_channels(); !done) return done;
  return p.start_api();
}

Result<void> Application::Parts::open_storage() {
  Result<std::unique_ptr<DataDir>> opened = DataDir::open(config.data_dir, config.storage.ballast_bytes);
  if (!opened) return std::move(opened).error();
  data_dir = *std::move(opened);
  journal = std::make_unique<SqliteJournal>(
      SqliteJournalOptions{.directory = data_dir->journal(), .segment_bytes = config.storage.segment_bytes, .vfs = {}},
      clock);
  if (Result<Opened> done = journal->open(); !done) return std::move(done).error();
  Result<std::unique_ptr<SqliteCatalogue>> registry = SqliteCatalogue::open(data_dir->registry());
  if (!registry) return std::move(registry).error();
  catalogue = *std::move(registry);
  group_commit =
      std::make_unique<GroupCommit>(*journal, clock, GroupCommitLimits{.max_queued_bytes = config.storage.queue_bytes});
  group_commit->on_commit([this](double seconds, uint32_t, Fate) { commit_seconds.observe(seconds); });
  ledger = std::make_unique<GroupCommitLedger>(*group_commit);
  Result<std::vector<CredentialSigner::Key>> keys = load_or_create_credential_keys(*catalogue);
  if (!keys) return std::move(keys).error();
  signer = std::make_unique<CredentialSigner>(*std::move(keys));
  return {};
}

Result<void> Application::Parts::open_channels(ExitCode& code) {
  http = std::make_unique<net::VendorClient>(clock, net::VendorClientOptions{.proxy = config.http.proxy, .timing = {}});
  channels::PluginHostOptions options;
  options.data_dir = config.data_dir;
  options.reload_drain_ms = std::max<int64_t>(config.limits.drain_ms, 1000);
  if (!config.plugin_dir.empty()) options.plugin_dirs = {config.plugin_dir};
  const auto verify = [this](std::string_view text) -> Result<channels::KnownDevice> {
    Result<Credential> credential = signer->verify(text, clock.wall_ms());
    if (!credential) return std::move(credential).error();
    return channels::KnownDevice{credential->app, credential->device_id, credential->generation,
                                 credential->expires_ms};
  };
  const channels::PluginHostPorts ports{
      .clock = clock, .catalogue = catalogue.get(), .http = http.get(), .verify_credential = verify};
  std::vector<channels::ChannelFault> faults;
  host = channels::PluginHost::open(channel_configs(config), options, ports, faults);
  std::string text;
  for (const channels::ChannelFault& fault : faults) {
    const std::string line = config_fault(config, fault).line_text(config.file);
    if (fault.warning)
      spdlog::warn("{}", line);
    else
      text += (text.empty() ? "" : "\ngodwitd: ") + line;
  }
  if (host) return {};
  code = ExitCode::usage;
  return Error{Code::invalid, text, {}};
}

Result<void> Application::Parts::start_engine() {
  EngineParts parts{.clock = clock, .journal = *journal, .ledger = *ledger, .catalogue = *catalogue, .background = {}};
  if (config.routing.decision_log_share > 0)
    parts.decisions = [file = std::make_shared<DecisionFile>(config.data_dir, config.routing.decision_log_bytes)](
                          const std::string& lines) { file->append(lines); };
  engine = std::make_unique<Engine>(engine_options(config), std::move(parts));
  engine->attach(*host);
  Result<RecoveryReport> report = engine->recover();
  if (!report) return std::move(report).error();
  spdlog::info(
      "recovered {} devices, {} records, {} open messages with {} deliveries, {} idempotency keys in {:.2f} s{}",
      report->devices, report->records, report->open_messages, report->open_deliveries, report->idempotency_keys,
      report->seconds,
      report->damaged_records ? "; " + std::to_string(report->damaged_records) + " damaged records were skipped" : "");
  engine->start();
  return {};
}

Result<void> Application::Parts::start_channels() {
  const std::vector<channels::ChannelFault> faults = host->start(*engine);
  if (faults.empty()) return {};
  std::string text;
  for (const channels::ChannelFault& fault : faults)
    text += (text.empty() ? "" : "\ngodwitd: ") + config_fault(config, fault).line_text(config.file);
  host->stop(0);
  engine->stop();
  return Error{Code::unavailable, text, {}};
}

Result<void> Application::Parts::start_api() {
  export_commits(metrics, commit_seconds, *group_commit);
  export_engine(metrics, *engine);
  export_channels(metrics, *host);
  ApiParts parts{.broker = *engine, .signer = *signer, .clock = clock, .metrics = {}, .ready = {}, .log = {}};
  parts.metrics = [this] { return metrics.render(); };
  parts.ready = [this]() -> Result<void> {
    if (group_commit->poisoned()) return Error{Code::unavailable, "the store is poisoned; the process restarts", {}};
    return {};
  };
  parts.log = [](std::string line) { spdlog::info("{}", line); };
  Result<std::unique_ptr<ApiServer>> started = ApiServer::start(api_options(config), std::move(parts));
  if (!started) {
    host->stop(0);
    engine->stop();
    return std::move(started).error();
  }
  api = *std::move(started);
  export_api(metrics, *api);
  std::string addresses;
  for (const std::string& address : config.http.listen) addresses += " " + address;
  spdlog::info("godwit {} is ready; HTTP on{}", version(), addresses);
  return {};
}

void Application::reload(const Config& changed) {
  Parts& p = *parts_;
  if (Result<void> keys = p.api->reload(api_keys(changed)); !keys) {
    spdlog::error("not reloaded; the old configuration stays in force: {}", keys.error().message);
    return;
  }
  p.engine->reconfigure(app_options(changed));
  // A channel that needs a fresh instance takes its time; signals are not kept waiting.
  p.host->reconfigure(channel_configs(changed), [changed](const std::vector<channels::ChannelFault>& faults) {
    for (const channels::ChannelFault& fault : faults)
      spdlog::warn("{}", config_fault(changed, fault).line_text(changed.file));
    spdlog::info("reloaded {}", changed.file.string());
  });
  p.config.apps = changed.apps;
  p.config.admin_keys = changed.admin_keys;
  p.config.channels = changed.channels;
}

void Application::tick() {
  Parts& p = *parts_;
  const MonoNs now = p.clock.mono_ns();
  if (now < p.next_space_look_ns) return;
  p.next_space_look_ns = now + kNsPerSecond;
  const Result<DiskSpace> space = p.data_dir->space();
  if (!space) return spdlog::error("{}: {}", space.error().where, space.error().message);
  const SpaceLevel level = space_level(*space);
  if (level == SpaceLevel::outcomes_only && p.data_dir->has_ballast()) (void)p.data_dir->drop_ballast();
  if (level == SpaceLevel::plenty && !p.data_dir->has_ballast()) (void)p.data_dir->lay_ballast();
  if (level == p.space) return;
  p.space = level;
  p.engine->set_space(level);
  constexpr std::array kWhat{"enough for everything", "too little for messages of low priority",
                             "enough for critical messages only",
                             "too little for any message; outcomes are still written"};
  spdlog::log(level == SpaceLevel::plenty ? spdlog::level::info : spdlog::level::warn, "{}: {} MiB of {} MiB free, {}",
              p.config.data_dir.string(), space->free_bytes >> 20, space->total_bytes >> 20,
              kWhat[static_cast<size_t>(level)]);
}

bool Application::poisoned() const {
  return parts_->group_commit && parts_->group_commit->poisoned();
}

void Application::drain_and_stop() {
  Parts& p = *parts_;
  using namespace std::chrono;
  const auto deadline = steady_clock::now() + milliseconds(p.config.limits.drain_ms);
  const auto left = [&] {
    return std::max<int64_t>(0, duration_cast<milliseconds>(deadline - steady_clock::now()).count());
  };
  spdlog::info("draining");
  p.engine->drain();
  p.api->drain();
  p.api->wait_drained(milliseconds(std::min<int64_t>(left(), 5'000)));
  p.api.reset();
  while (!p.engine->idle() && left() > 0) std::this_thread::sleep_for(milliseconds(5));
  for (const channels::ChannelFault& fault : p.host->stop(left()))
    spdlog::warn("channel {}: {}", fault.channel, fault.text);
  p.engine->stop();
  p.group_commit->stop();
  spdlog::info("drained");
}

}  // namespace godwit
