// Two clients and a host in one shard, driven by the input: connects (good, odd, taken over), packets good and bad,
// bytes cut anywhere, messages, cancellations, a busy host, lost connections, time. Whatever happens: nothing is read
// out of bounds, every message is settled exactly once, what the gateway says is MQTT, and no packet id is used twice
// at a time.
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "plugins/selfconn/codec/write.hpp"
#include "plugins/selfconn/gateway/steps.hpp"
#include "sdk/testhost/parcel.hpp"
#include "sdk/testhost/test_host.hpp"

namespace {

using namespace selfconn;
using godwit::mqtt::Version;
using godwit::testhost::ParcelSpec;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "two_devices: %s\n", what.c_str());
  std::abort();
}
void must(bool ok, const char* what) {
  if (!ok) fail(what);
}

struct Script {
  const uint8_t* at;
  const uint8_t* end;
  bool is_over() const { return at == end; }
  uint8_t byte() { return is_over() ? 0 : *at++; }
  std::vector<uint8_t> bytes(size_t most) {
    const auto size = std::min<size_t>(most, static_cast<size_t>(end - at));
    std::vector<uint8_t> out(at, at + size);
    at += size;
    return out;
  }
};

struct Client {
  int fd = -1;
  bool is_tame = true;  // it has only said what we know
  Version version = Version::v5;
  std::vector<uint8_t> heard;
  std::vector<uint16_t> unacknowledged;
  bool heard_disconnect = false;

  void close() {
    if (fd >= 0) ::close(fd);
    *this = Client();
  }
};

struct World {
  World() : instance(host.table(), 1000), fleet(godwit::Host(&instance), settings()) {
    host.enter(godwit::testhost::TestHost::Phase::started);
    fleet.mailboxes.push_back(std::make_unique<Mailbox>());
    fleet.mailboxes.back()->open();
    fleet.counters.push_back(std::make_unique<Counters>());
    shard = std::make_unique<Shard>(fleet, 0);
  }
  static Settings settings() {
    Settings s;
    s.device_window = 3;
    s.device_queue = 4;
    s.max_connections = 4;
    return s;
  }

  void connect(Client& client) {
    client.close();
    int pair[2];
    must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0, "no socket pair");
    client.fd = pair[0];
    fleet.open.fetch_add(1);
    Connection& c = shard->add_connection(pair[1]);
    must(shard->watch(c), "epoll refused the socket");
    arm(*shard, c);
  }

  void say(Client& client, const std::vector<uint8_t>& bytes) {
    if (client.fd >= 0 && !bytes.empty()) (void)!::send(client.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  void greet(Client& client, uint8_t how) {
    const std::string device = how & 1 ? "d1" : "d2", credential = "demo/" + device;
    mqtt::PropertyBuilder<64> properties;
    if (how & 2) properties.add(mqtt::Property::receive_maximum, 1 + (how >> 6));
    if (how & 4) properties.add(mqtt::Property::session_expiry_interval, 3600);
    if (how & 8) properties.add(mqtt::Property::topic_alias_maximum, 5);
    mqtt::Connect hello;
    hello.version = client.version = how & 16 ? Version::v3_1_1 : Version::v5;
    hello.clean_start = how & 32;
    hello.keep_alive_s = 60;
    hello.client_id = device;
    hello.has_user_name = hello.has_password = true;
    hello.user_name = "demo";
    hello.password = mqtt::Bytes(reinterpret_cast<const uint8_t*>(credential.data()), credential.size());
    if (hello.version == Version::v5) hello.properties = properties.properties();
    std::vector<uint8_t> bytes(mqtt::size_of(hello));
    mqtt::write(hello, bytes);
    say(client, bytes);
  }

  void push(uint8_t how) {
    ParcelSpec spec;
    spec.addresses = {how & 1 ? "demo/d1" : "demo/d2"};
    spec.message_id = "m" + std::to_string(how >> 4);
    spec.priority = how >> 1 & 3;
    spec.ttl_ms = how & 8 ? 2'000 : 3'600'000;
    const uint64_t ticket = ++last_ticket;
    parcels.push_back(std::make_unique<godwit::testhost::Parcel>(spec, ticket, host.now_ns() + 20'000'000'000));
    host.expect(ticket, 1);
    instance.took(1);
    godwit::Pending pending(&instance, parcels.back()->message());
    const uint64_t hash = fleet.hash_of(spec.addresses[0]);
    fleet.mailboxes[0]->put([&](Mail& mail) { mail.handovers.push_back({std::move(pending), hash}); });
  }

  void acknowledge(Client& client, uint8_t which) {
    if (client.unacknowledged.empty()) return;
    const auto at = client.unacknowledged.begin() + which % static_cast<long>(client.unacknowledged.size());
    const mqtt::Ack ack{mqtt::PacketType::puback, *at, mqtt::Reason::success, {}};
    client.unacknowledged.erase(at);
    std::vector<uint8_t> bytes(mqtt::size_of(ack, client.version));
    mqtt::write(ack, client.version, bytes);
    say(client, bytes);
  }

  void event(Client& client, uint8_t how) {
    const std::string text = how & 4 ? R"({"message_id":"m1","event":"opened"})" : "{";
    mqtt::Publish publish;
    publish.qos = how % 3;
    publish.dup = publish.qos > 0 && (how & 8);
    publish.packet_id = how >> 4;
    publish.topic = "godwit/events";
    std::vector<uint8_t> bytes(mqtt::size_of_publish_head(publish, text.size(), client.version));
    mqtt::write_publish_head(publish, text.size(), client.version, bytes);
    bytes.insert(bytes.end(), text.begin(), text.end());
    say(client, bytes);
  }

  // What the gateway has said, packet by packet.
  void listen(Client& client) {
    if (client.fd < 0) return;
    uint8_t room[4096];
    for (ssize_t n; (n = ::recv(client.fd, room, sizeof room, MSG_DONTWAIT)) > 0;)
      client.heard.insert(client.heard.end(), room, room + n);
    size_t done = 0;
    for (;;) {
      mqtt::Frame frame;
      mqtt::Fault fault;
      const auto rest = mqtt::Bytes(client.heard).subspan(done);
      const mqtt::Scan scan = scan_frame(rest, client.version, {200'000}, frame, fault);
      if (scan == mqtt::Scan::need_more) break;
      if (scan == mqtt::Scan::faulty) {
        must(!client.is_tame, "the gateway said what is not MQTT");
        client.heard.clear();
        return;
      }
      must(!client.heard_disconnect, "the gateway went on after DISCONNECT");
      done += frame.size;
      if (client.is_tame) check(client, frame);
    }
    client.heard.erase(client.heard.begin(), client.heard.begin() + static_cast<long>(done));
  }

  void check(Client& client, const mqtt::Frame& frame) {
    client.heard_disconnect = frame.type == mqtt::PacketType::disconnect;
    if (frame.type != mqtt::PacketType::publish) return;
    mqtt::Publish publish;
    must(!parse_publish(frame, client.version, mqtt::Sender::server, publish), "a PUBLISH that does not parse");
    for (uint16_t id : client.unacknowledged) must(id != publish.packet_id, "a packet id is used twice");
    client.unacknowledged.push_back(publish.packet_id);
    must(client.unacknowledged.size() <= 3, "more than the window is unacknowledged");
  }

  void pass(uint64_t ns) {
    host.run_for(ns);
    fleet.mailboxes[0]->put([](Mail& mail) { mail.tick = true; });
    turn();
  }
  void turn() {
    shard->turn(0);
    for (Client& client : clients) listen(client);
  }

  void end() {
    shard->stop();
    Mail mail;
    fleet.mailboxes[0]->take(mail);
    gw_outcome away{};
    away.target_index = GW_ALL_TARGETS;
    away.disposition = GW_UNREACHABLE;
    for (Handover& handover : mail.handovers) handover.message.settle_raw(away);
    must(host.open_targets() == 0, "a message was not settled");
    for (const std::string& what : host.misbehaviours()) fail(what);
    for (Client& client : clients) client.close();
  }

  godwit::testhost::TestHost host;
  godwit::Instance instance;
  Fleet fleet;
  std::vector<std::unique_ptr<godwit::testhost::Parcel>> parcels;
  std::unique_ptr<Shard> shard;  // goes before the parcels that it may still read
  Client clients[2];
  uint64_t last_ticket = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  World world;
  Script script{data, data + std::min<size_t>(size, 400)};
  int pushes = 0;
  while (!script.is_over()) {
    const uint8_t step = script.byte();
    Client& client = world.clients[step >> 7];
    switch (step & 15) {
      case 0:
        world.connect(client);
        break;
      case 1:
        world.connect(client);
        world.greet(client, script.byte());
        break;
      case 2:
      case 3:
        if (++pushes <= 40) world.push(script.byte());
        break;
      case 4:
      case 5:
        world.acknowledge(client, script.byte());
        break;
      case 6:
        world.event(client, script.byte());
        break;
      case 7:
        client.is_tame = false;
        world.say(client, script.bytes(script.byte() % 32));
        break;
      case 8:
        world.say(client, {0xC0, 0x00});
        break;
      case 9:
        world.say(client, {0xE0, 0x00});
        break;
      case 10:
        client.close();
        break;
      case 11:
        world.pass(uint64_t{script.byte()} * 300'000'000);
        break;
      case 12:
        world.host.refuse_events(script.byte() % 4);
        break;
      case 13:
        world.fleet.mailboxes[0]->put([](Mail& mail) { mail.event_room = true; });
        break;
      case 14: {
        const uint64_t ticket = script.byte() % 41;
        world.fleet.mailboxes[0]->put([ticket](Mail& mail) { mail.cancels.push_back(ticket); });
        break;
      }
      case 15:
        world.say(client, {0x62, 0x02, 0x00, script.byte()});
        break;
    }
    if (step & 64) world.turn();
  }
  world.turn();
  world.end();
  return 0;
}
