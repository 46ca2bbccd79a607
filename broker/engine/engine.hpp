// Engine: the heart of the broker. It owns every open message from the moment it is durable until its end, the
// registry, the router and all timers, on ONE thread; everybody else hands it closures through a mailbox.
//
// Broker (called by front ends) and ChannelSink (called by lanes) are safe from any thread between construction and
// destruction; before start() what they bring waits. Life: construct -> attach(channels) -> recover() -> start() ->
// stop(). Without start(), turn() runs one round on the caller's thread: so tests and the simulator drive it by hand.
//
// Failure: a journal that answers `unknown` makes every later durable call answer Code::unavailable; poisoned() then
// tells the application to exit for a restart.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/base/clock.hpp"
#include "broker/base/result.hpp"
#include "broker/channels/port.hpp"
#include "broker/engine/broker.hpp"
#include "broker/engine/engine_stats.hpp"
#include "broker/engine/options.hpp"
#include "broker/storage/catalogue.hpp"
#include "broker/storage/data_dir.hpp"
#include "broker/storage/journal.hpp"
#include "broker/storage/ledger.hpp"

namespace godwit {

namespace engine {
class Core;
}

// What the engine stands on; everything outlives it. REQUIRES: `journal` is open.
struct EngineParts {
  const Clock& clock;
  Journal& journal;
  Ledger& ledger;  // writes to `journal`
  Catalogue& catalogue;
  // Runs slow jobs (catalogue writes, journal scans), one after another. Empty: the engine has a thread of its own.
  std::function<void(Callback<void()>)> background;
  // Keeps lines of the decision log; called by slow jobs. Empty: no log.
  std::function<void(const std::string& lines)> decisions = {};
};

// What a restart found.
struct RecoveryReport {
  uint64_t devices = 0, records = 0, open_messages = 0, open_deliveries = 0, idempotency_keys = 0;
  uint64_t damaged_records = 0;
  double seconds = 0;
  std::vector<std::string> faults;  // for the log: what could not be read and what that means
};

class Engine final : public Broker, public ChannelSink {
 public:
  Engine(EngineOptions options, EngineParts parts);
  ~Engine() override;  // stop()

  // Before recover(). `channels` outlives the engine's stop(); all its instances are known already.
  void attach(ChannelSet& channels);
  // Loads the registry, replays the journal, plans open messages again. Nothing is sent before start() or turn().
  Result<RecoveryReport> recover();
  void start();
  // Ends the loop after the commands that wait have run; flushes the registry's dirty rows and writes a checkpoint.
  // Calls that come later are answered with Code::unavailable.
  void stop();

  // No new messages from now on (Code::unavailable); what is open goes on. Any thread.
  void drain();
  // What the disk still has room for; messages of lower priority are refused with Code::no_space. Any thread.
  void set_space(SpaceLevel level);
  // True when nothing is with a channel or on its way to the journal. Any thread.
  bool idle() const;
  bool poisoned() const;

  // The apps' list after a configuration reload. Any thread; acts within a round.
  void reconfigure(std::vector<AppOptions> apps);

  const EngineStats& stats() const;
  // One round: what waits in the mailbox, then timers that are due, then queues. True when something was done.
  // REQUIRES: start() was not called.
  bool turn();

  // For tests that look inside. REQUIRES: start() was not called.
  engine::Core& core();

  // ---- Broker
  void put_device(Device device, Done<DeviceAnswer> done) override;
  void patch_device(std::string app, std::string device_id, Callback<Result<void>(Device&)> edit,
                    Done<DeviceAnswer> done) override;
  void get_device(std::string app, std::string device_id, Done<Device> done) override;
  void delete_device(std::string app, std::string device_id, Done<Device> done) override;
  void user_devices(std::string app, std::string user_id, Done<std::vector<Device>> done) override;
  void list_devices(std::string app, std::string page, unsigned limit, Done<DeviceList> done) override;
  void set_topic(std::string app, std::string topic, std::string device_id, bool subscribed, Done<void> done) override;
  void list_topics(std::string app, Done<std::vector<TopicInfo>> done) override;
  void topic_devices(std::string app, std::string topic, std::string page, Done<TopicPage> done) override;
  void accept(std::vector<MessageDraft> drafts, Callback<void(std::vector<Result<AcceptAnswer>>)> done) override;
  void get_message(std::string app, MessageId id, Done<MessageView> done) override;
  void get_deliveries(std::string app, MessageId id, std::string device_id, std::string page,
                      Done<DeliveryPage> done) override;
  void cancel_message(std::string app, MessageId id, Done<CancelAnswer> done) override;
  void dry_run(MessageDraft draft, Done<DryRun> done) override;
  void report_receipts(std::string app, std::vector<ReceiptReport> reports, Done<ReceiptAnswer> done) override;
  void inbox(std::string app, std::string device_id, std::string after, int64_t wait_ms, unsigned limit,
             Done<InboxPage> done) override;
  void vendor_callback(VendorCall request, Done<CallbackAnswer> done) override;
  void list_channels(Done<std::vector<ChannelView>> done) override;
  void set_channel(std::string name, std::string admin_state, Done<ChannelView> done) override;
  void reload_channel(std::string name, Done<ReloadReport> done) override;
  void route(std::string app, std::string device_id, Priority priority, Done<RouteView> done) override;
  void rates(routing::RateQuery query, Done<RateView> done) override;
  uint64_t subscribe(std::string app, LifeEventSink sink) override;
  void unsubscribe(uint64_t subscription) override;

  // ---- ChannelSink
  void settled(std::vector<Settlement> settlements) override;
  bool events(std::vector<ChannelEvent> events) override;
  void room(ChannelNo channel) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit
