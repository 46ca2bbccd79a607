#include "plugins/selfconn/gateway/gateway.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>

#include <godwit/services/io.hpp>

#include "plugins/selfconn/gateway/shard.hpp"

namespace selfconn {
namespace {

constexpr uint32_t kBacklog = 4096;  // a storm that overruns it falls into SYN re-sends
constexpr int kUserTimeoutMs = 60'000;

// Accepted sockets inherit both.
void tune(int listener) {
  const int on = 1;
  ::setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(listener, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs, sizeof kUserTimeoutMs);
}

uint32_t reactors_for(const Settings& settings) {
  if (settings.reactors > 0) return settings.reactors;
  return std::clamp(std::thread::hardware_concurrency(), 1u, 4u);
}

void warn_about_descriptors(const godwit::Host& host, const Settings& settings) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  if (limit.rlim_cur >= settings.max_connections + uint64_t{200}) return;
  host.warn("max_connections " + std::to_string(settings.max_connections) + " needs more open files than the " +
            std::to_string(limit.rlim_cur) + " that this process may have; raise LimitNOFILE or lower max_connections");
}

// Threads of a plugin take no signals: they belong to the broker's main thread.
std::thread start_thread(Shard& shard) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread([&shard] { shard.run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_setname_np(thread.native_handle(), ("mqtt-" + std::to_string(shard.number)).c_str());
  return thread;
}

}  // namespace

Gateway::Gateway(godwit::Host host, Settings settings) : fleet_(host, std::move(settings)) {
  const uint32_t count = reactors_for(fleet_.settings);
  for (uint32_t i = 0; i < count; ++i) {
    fleet_.mailboxes.push_back(std::make_unique<Mailbox>());
    fleet_.counters.push_back(std::make_unique<Counters>());
  }
  by_shard_.resize(count);
}

Gateway::~Gateway() = default;

godwit::Result<void> Gateway::start() {
  if (!fleet_.credentials.is_offered())
    return godwit::Error{GW_E_UNSUPPORTED, "this host does not offer " GW_SERVICE_CREDENTIAL, ""};
  for (auto& mailbox : fleet_.mailboxes) mailbox->open();
  for (uint32_t i = 0; i < fleet_.mailboxes.size(); ++i) shards_.push_back(std::make_unique<Shard>(fleet_, i));
  if (auto listening = listen_everywhere(); !listening) {
    shards_.clear();
    return listening;
  }
  warn_about_descriptors(fleet_.host, fleet_.settings);
  fleet_.shards_to_drain.store(static_cast<uint32_t>(shards_.size()));
  for (auto& shard : shards_) threads_.push_back(start_thread(*shard));
  return {};
}

godwit::Result<void> Gateway::listen_everywhere() {
  const Settings& s = fleet_.settings;
  if (!s.tls.empty() || !s.tls_websocket.empty()) {
    auto context = fleet_.tls_files.load(s.tls_cert_file, s.tls_key_file);
    if (!context) return std::move(context).error();
    fleet_.tls.store(*context);
  }
  if (auto done = listen("tcp", "tcp", s.tcp, false, false); !done) return done;
  if (auto done = listen("websocket", "websocket", s.websocket, false, true); !done) return done;
  if (auto done = listen("tls", "tls/listen", s.tls, true, false); !done) return done;
  return listen("wss", "tls/websocket", s.tls_websocket, true, true);
}

godwit::Result<void> Gateway::listen(const char* name, const char* property, std::string address, bool is_tls,
                                     bool is_websocket) {
  if (address.empty()) return {};
  const godwit::Io io(fleet_.host);
  for (uint32_t i = 0; i < shards_.size(); ++i) {
    auto listener = io.listen(name, address, i, kBacklog);
    if (!listener) {
      godwit::Error error = std::move(listener).error();
      error.where = std::string("/") + property;
      return error;
    }
    tune(listener->fd);
    shards_[i]->add_listener({listener->fd, is_tls, is_websocket});
    // Port 0 means any; the other reactors must listen on the one that the first got.
    if (address.ends_with(":0")) address.replace(address.size() - 1, 1, std::to_string(listener->port));
  }
  return {};
}

void Gateway::submit(godwit::Batch& batch) {
  for (godwit::Pending message : batch) {
    const uint64_t hash = fleet_.hash_of(message.message().target().address());
    by_shard_[fleet_.home_of(hash)].push_back({std::move(message), hash});
  }
  for (uint32_t i = 0; i < by_shard_.size(); ++i) {
    std::vector<Handover>& mine = by_shard_[i];
    if (mine.empty()) continue;
    fleet_.mailboxes[i]->put([&mine](Mail& mail) {
      if (mail.handovers.empty()) return mail.handovers.swap(mine);
      mail.handovers.insert(mail.handovers.end(), std::make_move_iterator(mine.begin()),
                            std::make_move_iterator(mine.end()));
    });
    mine.clear();
  }
}

void Gateway::cancel(uint64_t ticket) {
  for (auto& mailbox : fleet_.mailboxes) mailbox->put([ticket](Mail& mail) { mail.cancels.push_back(ticket); });
}

void Gateway::on_timer() {
  for (auto& mailbox : fleet_.mailboxes) mailbox->put([](Mail& mail) { mail.tick = true; });
  if (fleet_.open.load() > 0) return fleet_.arm_tick();
  fleet_.ticking.store(false);
  if (fleet_.open.load() > 0) fleet_.want_ticks();  // one came in between
}

void Gateway::look_at_files() {
  if (!fleet_.tls.load()) return;
  auto fresh = fleet_.tls_files.look();
  if (!fresh) return fleet_.host.warn("the old TLS certificate stays in use: " + fresh.error().message);
  if (!*fresh) return;
  fleet_.tls.store(*fresh, std::memory_order_release);
  fleet_.host.info("new connections get the TLS certificate that was just read",
                   {{"cert_file", fleet_.settings.tls_cert_file}});
}

void Gateway::event_room() {
  for (auto& mailbox : fleet_.mailboxes) mailbox->put([](Mail& mail) { mail.event_room = true; });
}

void Gateway::drain(uint64_t deadline_mono_ns) {
  if (threads_.empty()) return fleet_.host.drained();
  for (auto& mailbox : fleet_.mailboxes)
    mailbox->put([deadline_mono_ns](Mail& mail) {
      mail.drain = true;
      mail.drain_order = {deadline_mono_ns};
    });
}

void Gateway::stop() {
  for (auto& mailbox : fleet_.mailboxes) mailbox->put([](Mail& mail) { mail.stop = true; });
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  gw_outcome away{};
  away.target_index = GW_ALL_TARGETS;
  away.disposition = GW_UNREACHABLE;
  away.vendor_code = godwit::str("stopping");
  for (auto& mailbox : fleet_.mailboxes) {
    Mail mail;
    mailbox->take(mail);
    for (Handover& handover : mail.handovers) handover.message.settle_raw(away);
  }
  shards_.clear();
}

Totals Gateway::totals() const {
  Totals t;
  t.open = fleet_.open.load(std::memory_order_relaxed);
  t.live = fleet_.live.load(std::memory_order_relaxed);
  for (const auto& counters : fleet_.counters) {
    const Counters& c = *counters;
    t.accepted += c.accepted.value();
    t.rate_limited += c.rate_limited.value();
    t.connected += c.connected.value();
    t.refused += c.refused.value();
    t.takeovers += c.takeovers.value();
    t.timed_out += c.timed_out.value();
    t.faults += c.faults.value();
    t.sent += c.sent.value();
    t.acknowledged += c.acknowledged.value();
    t.unknown_acks += c.unknown_acks.value();
    t.events += c.events.value();
    t.bad_events += c.bad_events.value();
  }
  return t;
}

uint32_t Gateway::reactors() const {
  return static_cast<uint32_t>(fleet_.mailboxes.size());
}

}  // namespace selfconn
