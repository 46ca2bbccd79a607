// The engine with the real plugin host and the real loopback plugin: what a user sees through the Broker interface.
#include <gtest/gtest.h>

#include <filesystem>
#include <future>

#include "broker/channels/plugin_host.hpp"
#include "broker/engine/engine.hpp"
#include "broker/engine/engine_rig.hpp"

namespace godwit {
namespace {

class LoopbackTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "godwit-engine-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    ASSERT_TRUE(journal.open());
  }
  void TearDown() override {
    if (host) host->stop(1'000);
    if (engine) engine->stop();
    commits.stop();
    host.reset();
    std::filesystem::remove_all(folder);
  }
  void start(const std::vector<std::pair<std::string, std::string>>& instances) {
    std::vector<channels::ChannelConfig> configs;
    for (const auto& [name, config] : instances) configs.push_back({name, "loopback", "inline", config, true});
    channels::PluginHostOptions options;
    options.data_dir = folder;
    options.plugin_dirs = {PLUGIN_DIR};
    std::vector<channels::ChannelFault> faults;
    host = channels::PluginHost::open(configs, options, {clock, &catalogue, nullptr, {}}, faults);
    ASSERT_TRUE(host) << faults.front().text;
    EngineOptions engine_options;
    engine_options.apps = {{"shop", {}}};
    engine = std::make_unique<Engine>(engine_options, EngineParts{clock, journal, ledger, catalogue, {}});
    engine->attach(*host);
    ASSERT_TRUE(engine->recover());
    engine->start();
    ASSERT_TRUE(host->start(*engine).empty());
  }
  template <class T, class F>
  Result<T> ask(F f) {
    std::promise<Result<T>> answer;
    f([&](Result<T> r) { answer.set_value(std::move(r)); });
    return answer.get_future().get();
  }
  void add_device(const std::string& id, const std::vector<std::string>& on) {
    Device d;
    d.app = "shop";
    d.id = id;
    d.user_id = "u-" + id;
    for (const std::string& channel : on) d.channels.push_back({channel, "token-" + id + "-" + channel, false, 0});
    ASSERT_TRUE(ask<DeviceAnswer>([&](auto done) { engine->put_device(d, std::move(done)); }));
  }
  // Sends `n` messages to the device and waits until each has reached `event`.
  void send_and_wait(const std::string& device, int n, const std::string& event) {
    std::promise<void> reached;
    std::atomic<int> left{n};
    const uint64_t subscription = engine->subscribe("shop", [&](const LifeEvent& e) {
      if (e.event == event && --left == 0) reached.set_value();
    });
    std::vector<MessageDraft> drafts;
    for (int i = 0; i < n; ++i) drafts.push_back(EngineRig::draft("u-" + device));
    std::promise<std::vector<Result<AcceptAnswer>>> accepted;
    engine->accept(std::move(drafts), [&](auto r) { accepted.set_value(std::move(r)); });
    for (const auto& answer : accepted.get_future().get()) {
      ASSERT_TRUE(answer);
      ids.push_back(answer->id);
    }
    EXPECT_EQ(reached.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
    engine->unsubscribe(subscription);
  }

  std::filesystem::path folder;
  SystemClock clock;
  MemoryJournal journal;
  GroupCommit commits{journal, clock};
  GroupCommitLedger ledger{commits};
  MemoryCatalogue catalogue;
  std::unique_ptr<channels::PluginHost> host;
  std::unique_ptr<Engine> engine;
  std::vector<MessageId> ids;
};

TEST_F(LoopbackTest, MessagesAreDeliveredWithTheReceiptOfTheDevice) {
  start({{"loop", "{}"}});
  add_device("d", {"loop"});
  send_and_wait("d", 500, "delivered");
  for (const MessageId id : ids) {
    const auto view = ask<MessageView>([&](auto done) { engine->get_message("shop", id, std::move(done)); });
    ASSERT_TRUE(view);
    EXPECT_EQ(view->status, "delivered");
    EXPECT_TRUE(view->complete);
  }
  const auto page =
      ask<DeliveryPage>([&](auto done) { engine->get_deliveries("shop", ids[0], "", "", std::move(done)); });
  ASSERT_EQ(page->deliveries.size(), 1u);
  EXPECT_EQ(page->deliveries[0].attempts.at(0).channel, "loop");
  EXPECT_EQ(page->deliveries[0].receipts.at(0).kind, ReceiptSource::device);
}

TEST_F(LoopbackTest, ABusyVendorIsTriedAgainUntilItTakesTheMessage) {
  start({{"loop", R"({"accept": 0.85, "seed": 3})"}});
  add_device("d", {"loop"});
  send_and_wait("d", 8, "delivered");  // few: the retries wait their real time
}

TEST_F(LoopbackTest, ADeadTokenLeadsToTheOtherChannel) {
  start({{"dead", R"({"token_invalid": 1})"}, {"alive", "{}"}});
  add_device("d", {"dead", "alive"});
  send_and_wait("d", 50, "delivered");
}

}  // namespace
}  // namespace godwit
