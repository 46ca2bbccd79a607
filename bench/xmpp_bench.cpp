// xmpp: messages a second over one stream, from submit to "the server has read it", by the built plugin; beside it in
// the same run a bare sender of the same, prepared stanzas to the same server. Without --server the server is a sink in
// this process that only reads; with it a real one (tests/interop/xmpp_throughput.py starts Prosody and ejabberd).
#include <dlfcn.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "bench/support/report.hpp"
#include "bench/xmpp/counting_host.hpp"
#include "bench/xmpp/raw_sender.hpp"
#include "plugins/xmpp/push/encode.hpp"
#include "plugins/xmpp/testing/sink.hpp"
#include "sdk/testhost/parcel.hpp"

namespace {

using namespace godwit::bench;
using nlohmann::json;
using Clock = std::chrono::steady_clock;
using godwit::testhost::Parcel;
using godwit::testhost::ParcelSpec;

struct Options {
  std::string server, name = "sink", jid = "push.example", secret = "secret", to = "bob@example.org";
  uint64_t messages = 200'000;
  int rounds = 5;
  bool json = false, quick = false;
};

double cpu_seconds() {
  rusage u{};
  ::getrusage(RUSAGE_SELF, &u);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(u.ru_utime) + seconds(u.ru_stime);
}

// A message that is for now or never, so that a real server does not store it for an account that is away.
ParcelSpec letter(const Options& o, uint64_t number) {
  return {.message_id = "0t3zcfp163mnqs720w" + std::to_string(100'000'000 + number), .addresses = {o.to}, .ttl_ms = 0};
}

class Channel {
 public:
  Channel(const Options& o, const std::string& server) : host_(o.secret) {
    void* library = ::dlopen(XMPP_SO, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) throw std::runtime_error(::dlerror());
    ops_ = *static_cast<const gw_entry*>(::dlsym(library, GW_ENTRY_SYMBOL_NAME))->types[0]->ops;
    const std::string config =
        json{{"server", server}, {"jid", o.jid}, {"password", "secret"}, {"offline", "server"}, {"window", kWindow}}
            .dump();
    if (ops_.create(host_.table(), godwit::str(config), nullptr, &self_) != GW_OK ||
        ops_.start(self_, nullptr) != GW_OK)
      throw std::runtime_error("the plugin refuses " + config);
    while (!host_.is_ready()) turn(std::chrono::milliseconds(1));
  }
  ~Channel() {
    ops_.stop(self_);
    ops_.destroy(self_);
  }

  // Sends all and answers messages a second.
  double send(const Options& o, uint64_t count) {
    std::vector<std::unique_ptr<Parcel>>& parcels = parcels_;  // the plugin reads them until it has settled them
    parcels.reserve(count);
    for (uint64_t i = 0; i < count; ++i)
      parcels.push_back(std::make_unique<Parcel>(letter(o, i), ++ticket_, UINT64_MAX));
    const auto begin = Clock::now();
    const uint64_t already = host_.accepted(), begun = figure("sent");
    // Without a receipt a message stays with the channel for two more seconds: what is measured ends with the
    // server's confirmation.
    for (uint64_t sent = 0; figure("sent") - begun < count || figure("unconfirmed") > 0;) {
      const uint64_t room = std::min<uint64_t>({kWindow - (sent - (host_.accepted() - already)), count - sent, 1000});
      if (room >= std::min<uint64_t>(1000, count - sent) && room > 0) {
        std::vector<const gw_msg*> messages;
        for (uint64_t i = 0; i < room; ++i) messages.push_back(parcels[sent + i]->message());
        const gw_batch batch{sizeof batch, static_cast<uint32_t>(room), messages.data()};
        if (ops_.submit(self_, &batch) != GW_OK) throw std::runtime_error("a batch was refused");
        sent += room;
      } else {
        turn(std::chrono::microseconds(200));
      }
      if (host_.others() > 0) throw std::runtime_error(std::to_string(host_.others()) + " messages were not accepted");
    }
    return static_cast<double>(count) / std::chrono::duration<double>(Clock::now() - begin).count();
  }

 private:
  static constexpr uint64_t kWindow = 65'536;

  uint64_t figure(std::string_view name) const {
    struct Wanted {
      std::string_view name;
      uint64_t value = 0;
    } wanted{name};
    const gw_diag diag{sizeof diag, 0, &wanted, [](void* ctx, int32_t, gw_str where, gw_str text) {
                         auto& w = *static_cast<Wanted*>(ctx);
                         if (godwit::view(where) == w.name) w.value = std::stoull(std::string(godwit::view(text)));
                       }};
    ops_.health(self_, &diag);
    return wanted.value;
  }

  void turn(Clock::duration pause) {
    std::this_thread::sleep_for(pause);
    if (Clock::now() < next_tick_ || !host_.has_due_timer()) return;
    next_tick_ = Clock::now() + std::chrono::milliseconds(100);
    ops_.on_timer(self_, 1, 0);
  }

  std::vector<std::unique_ptr<Parcel>> parcels_;
  CountingHost host_;
  gw_channel_ops ops_{};
  void* self_ = nullptr;
  uint64_t ticket_ = 0;
  Clock::time_point next_tick_{};
};

std::string prepared_stanza(const Options& o) {
  const Parcel parcel(letter(o, 0), 1, 0);
  std::string out;
  xmpp::encode_xmpp(godwit::Message(parcel.message()), {o.jid, o.to, "", 1'790'000'000'000, true}, out);
  return out;
}

json measure(const Options& o) {
  std::optional<xmpp::testing::Sink> sink;
  if (o.server.empty()) sink.emplace(xmpp::testing::SinkOptions{.sends_receipts = true});
  const std::string server = sink ? "127.0.0.1:" + std::to_string(sink->port()) : o.server;
  const std::string stanza = prepared_stanza(o);
  std::vector<double> ours, bare, cpu;
  for (int round = 0; round < o.rounds; ++round) {
    {
      Channel channel(o, server);
      const double before = cpu_seconds();
      ours.push_back(channel.send(o, o.messages));
      cpu.push_back((cpu_seconds() - before) / static_cast<double>(o.messages) * 1e6);
    }
    bare.push_back(raw_messages_per_second(server, o.jid, o.secret, stanza, o.messages));
  }
  return {{"bench", "xmpp_" + o.name},
          {"machine", machine()},
          {"godwit",
           {{"messages_per_second", median(ours)},
            {sink ? "cpu_us_per_message_with_the_sink" : "cpu_us_per_message", median(cpu)},
            {"stanza_bytes", stanza.size()}}},
          {"peer",
           {{"name", "a bare sender of prepared stanzas to the same server"}, {"messages_per_second", median(bare)}}},
          {"ratio", median(ours) / median(bare)}};
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Messages a second over one XMPP stream");
  app.add_option("--server", o.server, "HOST:PORT of a component port; default: a sink in this process");
  app.add_option("--name", o.name, "of the server, for the report");
  app.add_option("--jid", o.jid, "the component");
  app.add_option("--secret", o.secret);
  app.add_option("--to", o.to, "the account that gets them");
  app.add_option("--messages", o.messages, "a round");
  app.add_option("--rounds", o.rounds);
  app.add_flag("--json", o.json);
  app.add_flag("--quick", o.quick);
  CLI11_PARSE(app, argc, argv);
  if (o.quick) o.messages = std::min<uint64_t>(o.messages, 50'000), o.rounds = 3;
  try {
    print(measure(o), o.json);
  } catch (const std::exception& e) {
    return std::fprintf(stderr, "bench_xmpp: %s\n", e.what()), 1;
  }
}
