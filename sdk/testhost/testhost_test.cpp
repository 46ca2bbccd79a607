#include <gtest/gtest.h>

#include <godwit/channel.hpp>
#include <godwit/services/http.hpp>
#include <godwit/services/kv.hpp>

#include "sdk/testhost/instance.hpp"

namespace godwit::testhost {
namespace {

// Sends each message as one request and says what came of it.
class Echo final : public Channel {
 public:
  static constexpr auto describe() {
    return type("test.echo").name("Echo").version("1.0.0").schema("{}").example("{}");
  }
  static sdk::Result<std::unique_ptr<Echo>> create(Host host, std::string_view) {
    auto pool = HttpPool::open(host, {.origin = "https://vendor.example"});
    if (!pool) return std::move(pool).error();
    return std::make_unique<Echo>(host, std::move(*pool));
  }
  Echo(Host host, HttpPool pool) : host_(host), pool_(std::move(pool)) {}
  void start() override { host_.set_state(GW_STATE_READY); }
  void submit(Batch batch) override {
    for (Pending m : batch) {
      HttpRequest request{.path = "/send", .body = std::string(m.message().content())};
      request.deadline_mono_ns = m.message().deadline_mono_ns();
      pool_.send(request, [m = std::move(m)](const HttpReply& r) mutable {
        if (r.is_answered() && r.http_status() == 200)
          m.settle(Outcome::accepted(std::string(r.header("x-id"))));
        else if (r.is_not_sent())
          m.settle(Outcome::retry("not-sent"));
        else
          m.settle(Outcome::unknown(std::string(r.error())));
      });
    }
  }

 private:
  Host host_;
  HttpPool pool_;
};

struct EchoInstance : Instance {
  EchoInstance() : Instance(&Export<Echo>::type) {
    EXPECT_EQ(create("{}"), GW_OK) << diag().text();
    EXPECT_EQ(start(), GW_OK);
    EXPECT_TRUE(wait_ready());
  }
};

TEST(TestHost, AnAnswerOfTheVendorSettlesTheMessage) {
  EchoInstance echo;
  echo.host().http().script([](const SentRequest&) {
    HttpAnswer answer;
    answer.headers = {{"x-id", "v1"}};
    return answer;
  });
  ASSERT_EQ(echo.submit({{}}), GW_OK);
  EXPECT_EQ(echo.host().open_targets(), 1u);
  ASSERT_TRUE(echo.wait_settled());
  EXPECT_EQ(echo.host().settled().at(0).disposition, GW_ACCEPTED);
  EXPECT_EQ(echo.host().settled().at(0).vendor_id, "v1");
  EXPECT_EQ(echo.host().http().requests().at(0).path, "/send");
}

TEST(TestHost, ASilentVendorEndsAtTheRequestsDeadline) {
  EchoInstance echo;
  echo.host().http().script([](const SentRequest&) { return HttpAnswer::silent(); });
  uint64_t begin = echo.host().now_ns();
  ASSERT_EQ(echo.submit({{}}, 5'000'000'000), GW_OK);
  ASSERT_TRUE(echo.wait_settled());
  EXPECT_EQ(echo.host().settled().at(0).disposition, GW_UNKNOWN);
  EXPECT_EQ(echo.host().now_ns() - begin, 5'000'000'000u);
}

TEST(TestHost, StoppingEndsWhatIsInFlight) {
  EchoInstance echo;
  echo.host().http().script([](const SentRequest&) { return HttpAnswer::silent(); });
  ASSERT_EQ(echo.submit({{}, {}}), GW_OK);
  echo.stop();
  EXPECT_EQ(echo.host().open_targets(), 0u);
  EXPECT_EQ(echo.host().misbehaviours(), std::vector<std::string>());
}

TEST(TestHost, ADrainIsAnsweredWhenTheLastMessageIsSettled) {
  EchoInstance echo;
  ASSERT_EQ(echo.submit({{}, {}, {}}), GW_OK);
  EXPECT_TRUE(echo.drain());
  EXPECT_EQ(echo.host().settle_count(), 3u);
}

TEST(TestHost, SettlingTwiceIsNoticed) {
  TestHost host;
  host.expect(7, 1);
  gw_outcome outcome = Outcome::accepted().raw(7, 0);
  const gw_outcome* list[] = {&outcome};
  EXPECT_EQ(host.table()->settle(host.table()->ctx, list, 1), GW_OK);
  EXPECT_EQ(host.table()->settle(host.table()->ctx, list, 1), GW_E_INVALID);
  EXPECT_EQ(host.misbehaviours().size(), 1u);
}

TEST(TestHost, ReadingAMessageAfterItsSettleFaults) {
  Parcel parcel({}, 1, 0);
  const gw_msg* message = parcel.message();
  EXPECT_EQ(message->ticket, 1u);
  parcel.guard();
  EXPECT_DEATH((void)*reinterpret_cast<const volatile uint64_t*>(&message->ticket), "");
}

TEST(TestHost, TheStoreKeepsVersions) {
  TestHost host;
  auto* kv = static_cast<const gw_kv*>(host.table()->get_service(host.table()->ctx, str(GW_SERVICE_KV)));
  int32_t status = 1;
  auto done = [](void* arg, const gw_kv_result* r) { *static_cast<int32_t*>(arg) = r->status; };
  auto put = [&](uint64_t expected) {
    EXPECT_EQ(kv->put(kv->ctx, str("cursor"), str("x"), expected, done, &status), GW_OK);
    host.lane().run();
    return status;
  };
  EXPECT_EQ(put(GW_KV_ABSENT), GW_OK);
  EXPECT_EQ(put(GW_KV_ABSENT), GW_E_CONFLICT);
  EXPECT_EQ(put(1), GW_OK);
  EXPECT_EQ(put(1), GW_E_CONFLICT);
  EXPECT_EQ(put(GW_KV_ANY), GW_OK);
}

}  // namespace
}  // namespace godwit::testhost
