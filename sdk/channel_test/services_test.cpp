// The typed services and the extensions, driven as a host would.
#include <gtest/gtest.h>

#include <godwit/channel.hpp>
#include <godwit/preview.hpp>
#include <godwit/services/blocking.hpp>
#include <godwit/services/credential.hpp>
#include <godwit/services/io.hpp>
#include <godwit/services/kv.hpp>
#include <godwit/services/metrics.hpp>
#include <godwit/services/secret.hpp>

#include "sdk/testhost/instance.hpp"

namespace {

using godwit::Host;
using godwit::Result;
using godwit::testhost::Instance;

// Offers every extension; the test uses its host for the services.
class Rich final : public godwit::Channel {
 public:
  static constexpr auto describe() {
    return godwit::type("test.rich")
        .name("Rich")
        .version("1.0.0")
        .caps({.flags = GW_CAP_WEBHOOK | GW_CAP_RECALL})
        .webhook(GW_METHOD_POST | GW_METHOD_GET, 1000);
  }
  static Result<std::unique_ptr<Rich>> create(Host host, std::string_view) { return std::make_unique<Rich>(host); }
  explicit Rich(Host h) : host(h) { latest = this; }
  void start() override { host.set_state(GW_STATE_READY); }
  void submit(godwit::Batch) override {}
  void health(godwit::Report& out) const override { out.info("queue", "17"); }

  static void check(std::string_view config, godwit::Report& report) {
    if (config == "{}") return;
    report.error("/a", "one fault");
    report.error("/b", "another");
  }
  static void check_address(std::string_view address, godwit::Report& report) {
    if (address.size() != 4) report.error({}, "a token has 4 characters");
  }
  Result<void> parse_webhook(const godwit::WebhookRequest& request, godwit::WebhookSink& sink) const {
    if (request.header("x-signature") != "good") return godwit::Error{GW_E_DENIED, "wrong signature", ""};
    sink.event(godwit::Event::receipt(GW_RECEIPT_DELIVERED, request.body(), "e-1"));
    sink.reply(202, "thanks", "text/plain");
    return {};
  }
  Result<void> preview(godwit::Message message, godwit::PreviewSink& sink) const {
    sink.request("https://vendor.example", {.path = "/send", .body = std::string(message.content())});
    return {};
  }
  void recall(const gw_recall_request& request, godwit::RecallDone done) {
    if (godwit::view(request.vendor_id) == "v1") done(GW_OK, "gone");
  }

  Host host;
  static inline Rich* latest = nullptr;
};

struct ServicesTest : testing::Test, Instance {
  ServicesTest() : Instance(&godwit::Export<Rich>::type) {
    EXPECT_EQ(create("{}"), GW_OK);
    EXPECT_EQ(start(), GW_OK);
  }
  Host plugin_host() { return Rich::latest->host; }
};

TEST_F(ServicesTest, TheStoreAnswersOnTheLane) {
  godwit::Kv kv(plugin_host());
  std::string value;
  kv.put("cursor", "42", [&](const godwit::KvReply& r) {
    EXPECT_TRUE(r.ok());
    kv.get("cursor", [&](const godwit::KvReply& r) { value = r.value(); });
  });
  EXPECT_EQ(value, "");
  host().lane().run();
  EXPECT_EQ(value, "42");
}

TEST_F(ServicesTest, AServiceThatIsNotOfferedStillCallsBack) {
  host().withhold(GW_SERVICE_KV);
  int32_t status = 0;
  godwit::Kv(plugin_host()).get("x", [&](const godwit::KvReply& r) { status = r.status(); });
  EXPECT_EQ(status, GW_E_UNSUPPORTED);
}

TEST_F(ServicesTest, ARotatedSecretIsToldToItsWatcher) {
  host().secrets().set("key", "old");
  std::vector<std::string> seen;
  auto watch = godwit::Secrets(plugin_host()).watch("key", [&](godwit::SecretValue v) { seen.emplace_back(*v); });
  ASSERT_TRUE(watch);
  host().lane().run();
  host().secrets().set("key", "new");
  host().lane().run();
  *watch = godwit::SecretWatch();
  host().secrets().set("key", "unseen");
  host().lane().run();
  EXPECT_EQ(seen, (std::vector<std::string>{"old", "new"}));
}

TEST_F(ServicesTest, AMissingSecretIsAnError) {
  host().secrets().clear();
  int32_t status = GW_OK;
  godwit::Secrets(plugin_host()).get("key", [&](godwit::SecretValue v) { status = v ? GW_OK : v.error().status; });
  host().lane().run();
  EXPECT_EQ(status, GW_E_NOT_FOUND);
}

TEST_F(ServicesTest, BlockingWorkRunsElsewhereAndEndsOnTheLane) {
  bool worked_on_lane = true, done_on_lane = false;
  godwit::run_blocking(
      plugin_host(), [&] { worked_on_lane = plugin_host().is_on_lane(); },
      [&](int32_t status) { done_on_lane = status == GW_OK && plugin_host().is_on_lane(); });
  host().lane().run();
  EXPECT_FALSE(worked_on_lane);
  EXPECT_TRUE(done_on_lane);
}

TEST_F(ServicesTest, MetricsAreCountedByNameAndLabels) {
  godwit::Metrics metrics(plugin_host());
  godwit::Metric sent = metrics.counter("sent", "Messages sent", {{"kind", "push"}});
  sent.add(2);
  sent.add();
  EXPECT_EQ(host().metrics().value("sent,kind=push"), 3);
}

TEST_F(ServicesTest, ADeviceCredentialNamesAppAndDevice) {
  godwit::Credentials credentials(plugin_host());
  auto good = credentials.verify("demo/d1/7");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->app_id, "demo");
  EXPECT_EQ(good->device_id, "d1");
  EXPECT_EQ(good->address, "demo/d1");
  EXPECT_EQ(good->generation, 7u);
  auto bad = credentials.verify("nonsense");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().status, GW_E_DENIED);
}

TEST_F(ServicesTest, ListenersComeFromTheHost) {
  auto listener = godwit::Io(plugin_host()).listen("tcp", "127.0.0.1:1883");
  ASSERT_TRUE(listener);
  EXPECT_GE(listener->fd, 0);
  EXPECT_EQ(listener->port, host().io().port("tcp"));
}

TEST_F(ServicesTest, CheckReportsEveryFaultAtOnce) {
  godwit::testhost::DiagLog log;
  EXPECT_EQ(ops().check_config(godwit::str("{}"), log.get()), GW_OK);
  EXPECT_EQ(ops().check_config(godwit::str("[]"), log.get()), GW_E_INVALID);
  EXPECT_EQ(log.lines().size(), 2u);
}

TEST_F(ServicesTest, HealthIsAFigureALine) {
  godwit::testhost::DiagLog log;
  EXPECT_EQ(ops().health(self(), log.get()), GW_OK);
  EXPECT_EQ(log.text(), "queue: 17");
}

struct Caught {
  std::vector<godwit::testhost::HeardEvent> events;
  uint32_t status = 0;
  std::string url;
};

TEST_F(ServicesTest, AWebhookBecomesEventsAndAReply) {
  auto* webhook = static_cast<const gw_webhook*>(extension(GW_EXT_WEBHOOK));
  ASSERT_NE(webhook, nullptr);
  EXPECT_EQ(webhook->methods, GW_METHOD_POST | GW_METHOD_GET);
  Caught caught;
  gw_webhook_sink sink{};
  sink.size = sizeof sink;
  sink.ctx = &caught;
  sink.event = [](void* c, const gw_event* e) {
    static_cast<Caught*>(c)->events.push_back(godwit::testhost::heard(*e));
  };
  sink.reply = [](void* c, const gw_webhook_reply* r) { static_cast<Caught*>(c)->status = r->http_status; };
  gw_str headers[] = {godwit::str("x-signature"), godwit::str("good")};
  gw_webhook_request request{};
  request.size = sizeof request;
  request.method = GW_METHOD_POST;
  request.body = godwit::str("vendor-7");
  EXPECT_EQ(webhook->parse(self(), &request, &sink), GW_E_DENIED);
  EXPECT_TRUE(caught.events.empty());
  request.headers = headers;
  request.header_count = 1;
  EXPECT_EQ(webhook->parse(self(), &request, &sink), GW_OK);
  ASSERT_EQ(caught.events.size(), 1u);
  EXPECT_EQ(caught.events[0].vendor_id, "vendor-7");
  EXPECT_EQ(caught.status, 202u);
}

TEST_F(ServicesTest, APreviewShowsTheVendorRequest) {
  auto* preview = static_cast<const gw_preview*>(extension(GW_EXT_PREVIEW));
  ASSERT_NE(preview, nullptr);
  Caught caught;
  gw_preview_sink sink{};
  sink.size = sizeof sink;
  sink.ctx = &caught;
  sink.request = [](void* c, const gw_preview_request* r) { static_cast<Caught*>(c)->url = godwit::view(r->url); };
  godwit::testhost::Parcel parcel({}, 1, 0);
  EXPECT_EQ(preview->render(self(), parcel.message(), &sink), GW_OK);
  EXPECT_EQ(caught.url, "https://vendor.example/send");
}

TEST_F(ServicesTest, ARecallThatIsForgottenStillAnswers) {
  auto* recall = static_cast<const gw_recall*>(extension(GW_EXT_RECALL));
  ASSERT_NE(recall, nullptr);
  int32_t status = 1;
  auto done = [](void* arg, int32_t s, gw_str) { *static_cast<int32_t*>(arg) = s; };
  gw_recall_request request{};
  request.size = sizeof request;
  request.vendor_id = godwit::str("v1");
  EXPECT_EQ(recall->recall(self(), &request, done, &status), GW_OK);
  EXPECT_EQ(status, GW_OK);
  request.vendor_id = godwit::str("v2");
  EXPECT_EQ(recall->recall(self(), &request, done, &status), GW_OK);
  EXPECT_EQ(status, GW_E_INTERNAL);
}

TEST_F(ServicesTest, AddressesAreCheckedWithoutAnInstance) {
  auto* address = static_cast<const gw_address*>(extension(GW_EXT_ADDRESS));
  ASSERT_NE(address, nullptr);
  EXPECT_EQ(address->check(godwit::str("abcd"), nullptr), GW_OK);
  EXPECT_EQ(address->check(godwit::str("ab"), nullptr), GW_E_INVALID);
}

}  // namespace
