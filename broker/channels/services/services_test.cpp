// The host services as a plugin sees them: through their C tables, with every answer on the lane.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <future>

#include "broker/channels/services/blocking_service.hpp"
#include "broker/channels/services/credential_service.hpp"
#include "broker/channels/services/http_service.hpp"
#include "broker/channels/services/io_service.hpp"
#include "broker/channels/services/kv_service.hpp"
#include "broker/channels/services/metrics_service.hpp"
#include "broker/channels/services/secret_service.hpp"
#include "broker/channels/testing/temp_folder.hpp"
#include "broker/net/curl_client.hpp"
#include "broker/net/testing/script_server.hpp"
#include "broker/storage/memory/memory_catalogue.hpp"

namespace godwit::channels {
namespace {

using ::testing::ElementsAre;

gw_str text(std::string_view s) {
  return {s.data(), s.size()};
}
std::string str(gw_str s) {
  return std::string(s.ptr ? s.ptr : "", s.len);
}

class QuietOwner final : public Lane::Owner {
  void task_ended(const char*, MonoNs, bool) override {}
  void task_slow(const char*, MonoNs) override {}
  void task_hung(const char*, MonoNs) override {}
  void task_came_back(const char*, MonoNs) override {}
};

// What callbacks have said, in their order. Each callback must come on the lane.
class Log {
 public:
  explicit Log(const Lane& lane) : lane_(lane) {}
  void add(std::string line) {
    EXPECT_TRUE(lane_.inside()) << line;
    std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  std::vector<std::string> wait(size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10), [&] { return lines_.size() >= n; });
    return lines_;
  }

 private:
  const Lane& lane_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

class ServicesTest : public ::testing::Test {
 protected:
  void TearDown() override {
    lanes.stop(std::chrono::seconds(10));
    blocking.stop(std::chrono::seconds(10));
  }
  void on_lane(Callback<void()> work) {
    std::promise<void> done;
    lane.post("test", [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
  void close(Service& service) {
    on_lane([&] { service.close(); });
  }
  // Closes it and ends the pools, as the host does before it destroys an instance.
  void end(Service& service) {
    close(service);
    blocking.stop(std::chrono::seconds(10));
    lanes.stop(std::chrono::seconds(10));
  }
  template <class Table>
  static const Table& table_of(const Service& service) {
    return *static_cast<const Table*>(service.table());
  }

  const std::string channel = "one";
  SystemClock clock;
  QuietOwner owner;
  WorkerPool lanes{"lane", 2}, blocking{"work", 2};
  Lane lane{lanes, clock, owner};
  Misbehaviour misbehaviour{channel, clock};
  const ServiceHome home{channel, lane, clock, misbehaviour};
  Log log{lane};
};

// ---- kv ----------------------------------------------------------------------------------------------------------

void kv_done(void* arg, const gw_kv_result* r) {
  std::string line = std::to_string(r->status);
  for (uint32_t i = 0; i < r->count; ++i)
    line +=
        " " + str(r->entries[i]->key) + "=" + str(r->entries[i]->value) + "@" + std::to_string(r->entries[i]->version);
  static_cast<Log*>(arg)->add(line + (r->more ? " more" : ""));
}

TEST_F(ServicesTest, KvDoesItsCallsInOrderAndTellsVersions) {
  MemoryCatalogue catalogue;
  KvService service(home, catalogue, blocking);
  const gw_kv& kv = table_of<gw_kv>(service);
  EXPECT_EQ(kv.put(kv.ctx, text("a"), text("1"), GW_KV_ABSENT, kv_done, &log), GW_OK);
  EXPECT_EQ(kv.put(kv.ctx, text("a"), text("2"), GW_KV_ABSENT, kv_done, &log), GW_OK);
  EXPECT_EQ(kv.get(kv.ctx, text("a"), kv_done, &log), GW_OK);
  EXPECT_EQ(kv.get(kv.ctx, text("b"), kv_done, &log), GW_OK);
  EXPECT_EQ(kv.put(kv.ctx, text("b"), text("3"), GW_KV_ANY, kv_done, &log), GW_OK);
  EXPECT_EQ(kv.scan(kv.ctx, {}, {}, 1, kv_done, &log), GW_OK);
  EXPECT_EQ(kv.scan(kv.ctx, {}, text("a"), 0, kv_done, &log), GW_OK);
  EXPECT_EQ(kv.remove(kv.ctx, text("a"), GW_KV_ANY, kv_done, &log), GW_OK);
  EXPECT_EQ(kv.remove(kv.ctx, text("a"), GW_KV_ANY, kv_done, &log), GW_OK);
  EXPECT_THAT(log.wait(9),
              ElementsAre("0 a=@1", "-12 a=1@1", "0 a=1@1", "-11", "0 b=@2", "0 a=1@1 more", "0 b=3@2", "0", "-11"));
  EXPECT_EQ(catalogue.kv_get("two", "b")->has_value(), false) << "each channel has its own keys";
  end(service);
}

TEST_F(ServicesTest, KvRefusesWhatIsTooLong) {
  MemoryCatalogue catalogue;
  KvService service(home, catalogue, blocking);
  const gw_kv& kv = table_of<gw_kv>(service);
  const std::string key(GW_KV_MAX_KEY + 1, 'k'), value(GW_KV_MAX_VALUE + 1, 'v');
  EXPECT_EQ(kv.get(kv.ctx, text(key), kv_done, &log), GW_E_INVALID);
  EXPECT_EQ(kv.get(kv.ctx, {}, kv_done, &log), GW_E_INVALID);
  EXPECT_EQ(kv.put(kv.ctx, text("a"), text(value), GW_KV_ANY, kv_done, &log), GW_E_INVALID);
  close(service);
  EXPECT_EQ(kv.get(kv.ctx, text("a"), kv_done, &log), GW_E_CLOSED);
  end(service);
}

// ---- secret ------------------------------------------------------------------------------------------------------

void secret_fn(void* arg, int32_t status, gw_str value, uint64_t) {
  static_cast<Log*>(arg)->add(std::to_string(status) + " " + str(value));
}

TEST_F(ServicesTest, SecretTellsAWatcherEveryChangeOnceAndTheEndLast) {
  TempFolder temp;
  const std::filesystem::path file = temp.path() / "key";
  std::ofstream(file) << "one";
  SecretStore store;
  std::vector<ConfigFault> faults;
  store.configure({{"key", "${file:" + file.string() + "}"}}, faults);
  SecretService service(home, store);
  const gw_secret& secret = table_of<gw_secret>(service);
  uint64_t id = 0;
  EXPECT_EQ(secret.get(secret.ctx, text("none"), secret_fn, &log), GW_OK);
  EXPECT_EQ(secret.watch(secret.ctx, text("key"), secret_fn, &log, &id), GW_OK);
  log.wait(2);
  service.changed("key");  // nothing new: not told again
  std::ofstream(file) << "two";
  store.refresh();
  service.changed("key");
  EXPECT_THAT(log.wait(3), ElementsAre("-11 ", "0 one", "0 two"));
  close(service);
  EXPECT_EQ(log.wait(4).back(), "-3 ");
  EXPECT_EQ(secret.get(secret.ctx, text("key"), secret_fn, &log), GW_E_CLOSED);
  end(service);
}

TEST_F(ServicesTest, SecretUnwatchEndsInALastCall) {
  SecretStore store;
  std::vector<ConfigFault> faults;
  store.configure({{"key", "x"}}, faults);
  SecretService service(home, store);
  const gw_secret& secret = table_of<gw_secret>(service);
  uint64_t id = 0;
  secret.watch(secret.ctx, text("key"), secret_fn, &log, &id);
  secret.unwatch(secret.ctx, id);
  secret.unwatch(secret.ctx, id);
  EXPECT_THAT(log.wait(2), ElementsAre("0 x", "-3 "));
  end(service);
}

// ---- blocking ----------------------------------------------------------------------------------------------------

struct Job {
  Log& log;
  std::promise<void> begun, go;
};

TEST_F(ServicesTest, BlockingWaitsForRunningWorkAndSkipsTheRest) {
  BlockingService service(home, blocking);
  const gw_blocking& table = table_of<gw_blocking>(service);
  Job jobs[3] = {{log, {}, {}}, {log, {}, {}}, {log, {}, {}}};
  for (Job& job : jobs)
    EXPECT_EQ(table.run(
                  table.ctx,
                  [](void* arg) {
                    static_cast<Job*>(arg)->begun.set_value();
                    static_cast<Job*>(arg)->go.get_future().wait();
                  },
                  [](void* arg, int32_t status) { static_cast<Job*>(arg)->log.add(std::to_string(status)); }, &job),
              GW_OK);
  jobs[0].begun.get_future().wait();
  jobs[1].begun.get_future().wait();  // both threads of the pool are in use: the third waits
  jobs[0].go.set_value();
  EXPECT_THAT(log.wait(1), ElementsAre("0"));
  jobs[2].begun.get_future().wait();
  std::thread closer([&] { close(service); });
  jobs[1].go.set_value();
  jobs[2].go.set_value();
  closer.join();
  EXPECT_THAT(log.wait(3), ElementsAre("0", "0", "0"));
  end(service);
}

TEST_F(ServicesTest, BlockingDoesNotBeginWhatIsClosed) {
  WorkerPool one("work", 1);
  BlockingService service(home, one);
  const gw_blocking& table = table_of<gw_blocking>(service);
  std::promise<void> held, go;
  one.post([&] {
    held.set_value();
    go.get_future().wait();
  });
  held.get_future().wait();
  EXPECT_EQ(table.run(
                table.ctx, [](void*) { FAIL() << "closed before it began"; },
                [](void* arg, int32_t status) { static_cast<Log*>(arg)->add(std::to_string(status)); }, &log),
            GW_OK);
  close(service);
  EXPECT_THAT(log.wait(1), ElementsAre("-3"));
  go.set_value();
  one.stop(std::chrono::seconds(10));
  end(service);
}

// ---- http --------------------------------------------------------------------------------------------------------

void http_done(void* arg, const gw_http_response* r) {
  static_cast<Log*>(arg)->add(std::to_string(r->delivery) + " " + std::to_string(r->status) + " " +
                              std::to_string(r->http_status) + " " + str(r->body));
}

class HttpServiceTest : public ServicesTest {
 protected:
  uint64_t open(const gw_http& http, const std::string& origin) {
    gw_http_pool_options options{};
    options.size = sizeof options;
    options.origin = text(origin);
    uint64_t pool = 0;
    EXPECT_EQ(http.open_pool(http.ctx, &options, nullptr, &pool), GW_OK);
    return pool;
  }
  int32_t post(const gw_http& http, uint64_t pool) {
    const gw_str headers[] = {text("content-type"), text("text/plain")};
    gw_http_request request{};
    request.size = sizeof request;
    request.method = text("POST");
    request.path = text("/x");
    request.headers = headers;
    request.header_count = 1;
    request.body = text("hello");
    return http.send(http.ctx, pool, &request, http_done, &log);
  }
  net::CurlClient client{clock};
  SecretStore secrets;
};

TEST_F(HttpServiceTest, AnswersOnTheLane) {
  net::testing::ScriptServer server([](net::testing::ScriptConnection& c) {
    const std::string request = c.read_request();
    c.answer(201, request.substr(request.rfind('\n') + 1));
  });
  HttpService service(home, client, secrets);
  const gw_http& http = table_of<gw_http>(service);
  EXPECT_EQ(post(http, open(http, server.origin())), GW_OK);
  EXPECT_THAT(log.wait(1), ElementsAre("2 0 201 hello"));
  end(service);
}

TEST_F(HttpServiceTest, TellsTheTruthAboutWhatIsOpenWhenTheChannelStops) {
  std::promise<void> arrived;
  net::testing::ScriptServer server([&](net::testing::ScriptConnection& c) {
    c.read_request();
    arrived.set_value();
    c.wait_for_close();
  });
  HttpService service(home, client, secrets);
  const gw_http& http = table_of<gw_http>(service);
  const uint64_t pool = open(http, server.origin());
  EXPECT_EQ(post(http, pool), GW_OK);
  arrived.get_future().wait();
  close(service);
  EXPECT_THAT(log.wait(1), ElementsAre("1 -3 0 ")) << "maybe sent, closed";
  EXPECT_EQ(post(http, pool), GW_E_CLOSED);
  end(service);
}

TEST_F(HttpServiceTest, SharesNoPoolsBetweenChannels) {
  HttpService mine(home, client, secrets), other(home, client, secrets);
  const gw_http& http = table_of<gw_http>(mine);
  const uint64_t pool = open(http, "http://127.0.0.1:9");
  const gw_http& foreign = table_of<gw_http>(other);
  EXPECT_EQ(post(foreign, pool), GW_E_CLOSED);
  EXPECT_EQ(foreign.pool_slots(foreign.ctx, pool), 0u);
  EXPECT_GT(http.pool_slots(http.ctx, pool), 0u);
  close(mine);
  end(other);
}

// ---- io ----------------------------------------------------------------------------------------------------------

TEST_F(ServicesTest, IoReportsReadinessOnceUntilRearmed) {
  IoLoop loop;
  Listeners listeners;
  IoService service(home, loop, listeners);
  const gw_io& io = table_of<gw_io>(service);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  uint64_t id = 0;
  const gw_io_fn fn = [](void* arg, int32_t status, uint32_t ready) {
    static_cast<Log*>(arg)->add(std::to_string(status) + " " + std::to_string(ready));
  };
  ASSERT_EQ(io.watch(io.ctx, ends[0], GW_IO_READ, fn, &log, &id), GW_OK);
  EXPECT_EQ(io.watch(io.ctx, ends[0], GW_IO_READ, fn, &log, &id), GW_E_INVALID) << "watched already";
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  EXPECT_THAT(log.wait(1), ElementsAre("0 1"));
  io.rearm(io.ctx, id, GW_IO_READ);  // still readable
  EXPECT_EQ(log.wait(2).size(), 2u);
  io.unwatch(io.ctx, id);
  EXPECT_THAT(log.wait(3), ElementsAre("0 1", "0 1", "-3 0"));
  end(service);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(ServicesTest, IoGivesTheSameListenerAgain) {
  IoLoop loop;
  Listeners listeners;
  const auto ask = [&](uint32_t index, const char* address, uint32_t& port) {
    IoService service(home, loop, listeners);  // a new instance of the plugin each time
    const gw_io& io = table_of<gw_io>(service);
    gw_listener_options options{};
    options.size = sizeof options;
    options.index = index;
    options.name = text("tcp");
    options.address = text(address);
    int32_t fd = -1;
    const int32_t status = io.listener(io.ctx, &options, nullptr, &fd, &port);
    close(service);
    return status == GW_OK ? fd : status;
  };
  uint32_t port = 0, again = 0, second = 0, other = 0;
  const int32_t fd = ask(0, "127.0.0.1:0", port);
  ASSERT_GT(fd, 0);
  EXPECT_GT(port, 0u);
  EXPECT_EQ(ask(0, "127.0.0.1:0", again), fd);
  EXPECT_NE(ask(1, "127.0.0.1:0", second), fd);
  EXPECT_EQ(second, port) << "sockets of one name share the port";
  EXPECT_EQ(ask(0, ("127.0.0.1:" + std::to_string(port)).c_str(), other), GW_E_IO) << "taken";
  EXPECT_EQ(ask(0, "localhost:1", other), GW_E_INVALID);
  EXPECT_EQ(ask(0, "127.0.0.1", other), GW_E_INVALID);
}

TEST(Listeners, NamesThePortThatIsTaken) {
  Listeners first, second;
  const auto socket = first.get("a", &first, "tcp", "127.0.0.1:0", 0, 0);
  ASSERT_TRUE(socket);
  const auto taken = second.get("a", &second, "tcp", "127.0.0.1:" + std::to_string(socket->port), 0, 0);
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, ::testing::HasSubstr("Address already in use; another program has this port"));
}

// What a client finds that connects now: whether it is let in, and which socket it waits at.
struct Client {
  explicit Client(uint16_t port) : fd(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_let_in = connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  ~Client() { ::close(fd); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  const int fd;
  bool is_let_in = false;
};
int take_all(int listener) {
  int taken = 0;
  for (int fd = accept(listener, nullptr, nullptr); fd >= 0; fd = accept(listener, nullptr, nullptr), ++taken)
    ::close(fd);
  return taken;
}

TEST(Listeners, PassFromOneUserToTheNextWithAllWhoWait) {
  Listeners listeners;
  const int old_user = 0, new_user = 0;
  const auto before = listeners.get("a", &old_user, "tcp", "127.0.0.1:0", 0, 0);
  ASSERT_TRUE(before);
  const Client early(before->port);
  const auto after = listeners.get("a", &new_user, "tcp", "127.0.0.1:0", 0, 0);
  listeners.release(&old_user);
  EXPECT_EQ(after->fd, before->fd);
  const Client late(before->port);
  EXPECT_TRUE(early.is_let_in && late.is_let_in);
  EXPECT_EQ(take_all(after->fd), 2);
  listeners.release(&new_user);
  EXPECT_EQ(listeners.size(), 0u);
  EXPECT_FALSE(Client(before->port).is_let_in) << "nobody is there any more";
}

TEST(Listeners, SendNobodyToSocketsThatTheNextUserDoesNotHave) {
  Listeners listeners;
  const int old_user = 0, new_user = 0;
  std::vector<Listeners::Socket> sockets;
  for (uint32_t i = 0; i < 4; ++i) sockets.push_back(*listeners.get("a", &old_user, "tcp", "127.0.0.1:0", i, 0));
  ASSERT_TRUE(listeners.get("a", &new_user, "tcp", "127.0.0.1:0", 0, 0));
  ASSERT_TRUE(listeners.get("a", &new_user, "tcp", "127.0.0.1:0", 1, 0));
  listeners.prefer("a", &new_user);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 64; ++i) clients.push_back(std::make_unique<Client>(sockets[0].port));
  EXPECT_EQ(take_all(sockets[2].fd) + take_all(sockets[3].fd), 0);
  EXPECT_EQ(take_all(sockets[0].fd) + take_all(sockets[1].fd), 64);
  listeners.release(&old_user);
  EXPECT_EQ(listeners.size(), 2u);
  // And back: more sockets than before.
  for (uint32_t i = 0; i < 4; ++i) sockets[i] = *listeners.get("a", &old_user, "tcp", "127.0.0.1:0", i, 0);
  listeners.prefer("a", &old_user);
  clients.clear();
  for (int i = 0; i < 64; ++i) clients.push_back(std::make_unique<Client>(sockets[0].port));
  int all = 0;
  for (const Listeners::Socket& s : sockets) all += take_all(s.fd);
  EXPECT_EQ(all, 64);
}

TEST(Listeners, EndPolitelyWhoCameToASocketThatGoes) {
  Listeners listeners;
  const int old_user = 0, new_user = 0;
  const auto before = listeners.get("a", &old_user, "tcp", "127.0.0.1:0", 0, 0);
  ASSERT_TRUE(listeners.get("a", &new_user, "tcp", "127.0.0.2:0", 0, 0));
  const Client stray(before->port);
  listeners.dismiss("a", &new_user);
  char byte;
  EXPECT_EQ(read(stray.fd, &byte, 1), 0) << "closed, not reset";
}

TEST(Listeners, LetAChannelMoveBetweenAddressesOfOnePort) {
  Listeners listeners;
  const int old_user = 0, new_user = 0;
  const auto before = listeners.get("a", &old_user, "tcp", "127.0.0.1:0", 0, 0);
  const std::string everywhere = "0.0.0.0:" + std::to_string(before->port);
  EXPECT_FALSE(listeners.get("a", &old_user, "websocket", everywhere, 0, 0)) << "not both at once";
  EXPECT_TRUE(listeners.get("a", &new_user, "tcp", everywhere, 0, 0));
  listeners.release(&old_user);
  EXPECT_TRUE(Client(before->port).is_let_in);
}

TEST_F(ServicesTest, IoPassesAWatchedDescriptorToTheNewestInstanceAndBack) {
  IoLoop loop;
  Listeners listeners;
  IoService old_one(home, loop, listeners), new_one(home, loop, listeners);
  const gw_io &old_io = table_of<gw_io>(old_one), &new_io = table_of<gw_io>(new_one);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  uint64_t id = 0;
  const auto note = [](const char* who) {
    return who[0] == 'o' ? gw_io_fn([](void* arg, int32_t status, uint32_t) {
      if (status == GW_OK) static_cast<Log*>(arg)->add("old");
    })
                         : gw_io_fn([](void* arg, int32_t status, uint32_t) {
                             if (status == GW_OK) static_cast<Log*>(arg)->add("new");
                           });
  };
  ASSERT_EQ(old_io.watch(old_io.ctx, ends[0], GW_IO_READ, note("old"), &log, &id), GW_OK);
  ASSERT_EQ(new_io.watch(new_io.ctx, ends[0], GW_IO_READ, note("new"), &log, &id), GW_OK);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  EXPECT_THAT(log.wait(1), ElementsAre("new"));
  close(new_one);  // it was not ready in time
  EXPECT_THAT(log.wait(2), ElementsAre("new", "old"));
  end(old_one);
  ::close(ends[0]);
  ::close(ends[1]);
}

// ---- metrics, credential -----------------------------------------------------------------------------------------

TEST_F(ServicesTest, MetricsCountAndAreCollectedWithTheirLabels) {
  MetricsService service(home);
  const gw_metrics& metrics = table_of<gw_metrics>(service);
  const gw_str labels[] = {text("kind"), text("push")};
  const uint64_t bounds[] = {1000, 2000};
  gw_metric_spec spec{};
  spec.size = sizeof spec;
  spec.kind = GW_METRIC_HISTOGRAM;
  spec.name = text("send_seconds");
  spec.labels = labels;
  spec.label_pairs = 1;
  spec.bounds = bounds;
  spec.bound_count = 2;
  spec.per_unit = 1000;
  uint64_t histogram = 0, again = 0, counter = 0;
  ASSERT_EQ(metrics.define(metrics.ctx, &spec, &histogram), GW_OK);
  EXPECT_EQ(metrics.define(metrics.ctx, &spec, &again), GW_OK);
  EXPECT_EQ(again, histogram);
  spec.kind = GW_METRIC_COUNTER;
  EXPECT_EQ(metrics.define(metrics.ctx, &spec, &again), GW_E_CONFLICT);
  spec.name = text("Bad-Name");
  EXPECT_EQ(metrics.define(metrics.ctx, &spec, &counter), GW_E_INVALID);
  spec.name = text("sent_total");
  spec.per_unit = 0;
  ASSERT_EQ(metrics.define(metrics.ctx, &spec, &counter), GW_OK);

  metrics.add(metrics.ctx, counter, 3);
  metrics.add(metrics.ctx, histogram, 3);  // not a counter: ignored
  metrics.add(metrics.ctx, 0, 3);
  metrics.add(metrics.ctx, 9999, 3);
  for (const uint64_t value : {500, 1000, 1500, 5000}) metrics.observe(metrics.ctx, histogram, value);
  std::vector<MetricSample> samples;
  service.collect([&](const MetricSample& s) { samples.push_back(s); });
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[0].name, "plugin_send_seconds");
  EXPECT_THAT(samples[0].labels, ElementsAre(std::pair<std::string, std::string>("channel", "one"),
                                             std::pair<std::string, std::string>("kind", "push")));
  EXPECT_THAT(samples[0].buckets,
              ElementsAre(std::pair<double, uint64_t>(1.0, 2), std::pair<double, uint64_t>(2.0, 3)));
  EXPECT_EQ(samples[0].count, 4u);
  EXPECT_DOUBLE_EQ(samples[0].value, 8.0);
  EXPECT_EQ(samples[1].value, 3);
}

TEST_F(ServicesTest, CredentialSaysWhoseItIs) {
  const CredentialService::Verify verify = [](std::string_view text) -> Result<KnownDevice> {
    if (text == "good") return KnownDevice{"shop", "d1", 4, 99};
    return Error{Code::forbidden, "expired", {}};
  };
  CredentialService service(verify);
  const gw_credentials& table = table_of<gw_credentials>(service);
  char buffer[GW_CREDENTIAL_BUFFER];
  gw_credential out{};
  out.size = sizeof out;
  out.buffer = buffer;
  out.buffer_size = sizeof buffer;
  ASSERT_EQ(table.verify(table.ctx, text("good"), &out), GW_OK);
  EXPECT_EQ(str(out.app_id), "shop");
  EXPECT_EQ(str(out.device_id), "d1");
  EXPECT_EQ(str(out.address), "shop/d1");
  EXPECT_EQ(out.generation, 4u);
  EXPECT_EQ(out.expires_wall_ms, 99u);
  EXPECT_EQ(table.verify(table.ctx, text("bad"), &out), GW_E_DENIED);
  EXPECT_EQ(str(out.reason), "expired");
  out.buffer_size = 5;
  EXPECT_EQ(table.verify(table.ctx, text("good"), &out), GW_E_INVALID);
  out.buffer = nullptr;
  EXPECT_EQ(table.verify(table.ctx, text("good"), &out), GW_E_INVALID);
}

}  // namespace
}  // namespace godwit::channels
