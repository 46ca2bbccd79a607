// Core: the engine without threads. It drives the life of each message and is called by one thread at a time: the
// engine's loop, or a test that turns a ManualClock.
//
// The state lies with owners (below, each with a header of its own); Core's methods are the verbs that work on several
// of them, spread over files by what they do. Each group names its file.
//
// What happens elsewhere comes back as a command: a completion of the ledger or of a background job posts a closure
// that runs on this thread. A turn is: begin_turn(now) -> commands -> end_turn(), which fires timers, fills fan-outs,
// sends what the channels take, and writes the OUTCOME records of everything that moved.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "broker/base/random.hpp"
#include "broker/dispatch/verdict.hpp"
#include "broker/engine/apps.hpp"
#include "broker/engine/channel_slot.hpp"
#include "broker/engine/checkpointer.hpp"
#include "broker/engine/decision_log.hpp"
#include "broker/engine/early_receipts.hpp"
#include "broker/engine/engine.hpp"
#include "broker/engine/history.hpp"
#include "broker/engine/journal_error.hpp"
#include "broker/engine/life_feed.hpp"
#include "broker/engine/long_polls.hpp"
#include "broker/engine/message_book.hpp"
#include "broker/engine/offers.hpp"
#include "broker/engine/parked.hpp"
#include "broker/engine/registry_writer.hpp"
#include "broker/engine/seen_events.hpp"
#include "broker/engine/slow_jobs.hpp"
#include "broker/engine/state.hpp"
#include "broker/engine/timer_kind.hpp"
#include "broker/intake/intake.hpp"
#include "broker/message/records.hpp"
#include "broker/planner/audience.hpp"

namespace godwit::engine {

class Core;
using Command = Callback<void(Core&)>;

class Core {
 public:
  // `post` brings a command back to this thread; it may be called from any thread.
  using Post = std::function<void(Command)>;
  // Runs slow jobs, one after another, away from this thread.
  using Background = std::function<void(Callback<void()>)>;
  Core(EngineOptions options, const EngineParts& parts, EngineStats& stats, intake::Intake& intake, Post post,
       Background background);

  void attach(ChannelSet& channels);  // channels.cpp
  Result<RecoveryReport> recover();   // recover.cpp

  // turn.cpp
  void begin_turn(MonoNs now, WallMs wall);
  bool end_turn();             // true: there is more to do at once
  MonoNs quiet_until() const;  // nothing happens before, unless a command comes

  // accept.cpp
  void on_batch(const intake::BatchPtr& batch);

  // settle.cpp, receipts.cpp, presence.cpp
  void on_settled(const std::vector<Settlement>& settlements);
  void on_events(const std::vector<ChannelEvent>& events);
  void on_room(ChannelNo channel);

  // devices.cpp
  void put_device(Device device, Done<DeviceAnswer> done);
  void patch_device(std::string app, std::string id, Callback<Result<void>(Device&)> edit, Done<DeviceAnswer> done);
  void delete_device(std::string app, std::string id, Done<Device> done);
  void get_device(const std::string& app, const std::string& id, Done<Device> done);
  void user_devices(const std::string& app, const std::string& user, Done<std::vector<Device>> done);
  void list_devices(const std::string& app, const std::string& page, unsigned limit, Done<Broker::DeviceList> done);
  // topics.cpp
  void set_topic(std::string app, std::string topic, std::string device_id, bool subscribed, Done<void> done);
  void list_topics(const std::string& app, Done<std::vector<Broker::TopicInfo>> done);
  void topic_devices(const std::string& app, const std::string& topic, const std::string& page,
                     Done<Broker::TopicPage> done);

  // queries.cpp
  void get_message(const std::string& app, MessageId id, Done<MessageView> done);
  void get_deliveries(const std::string& app, MessageId id, const std::string& device_id, const std::string& page,
                      Done<DeliveryPage> done);
  // cancel.cpp
  void cancel_message(const std::string& app, MessageId id, Done<CancelAnswer> done);
  // dry_run.cpp
  void dry_run(MessageDraft draft, Done<DryRun> done);
  void route(const std::string& app, const std::string& device_id, Priority priority, Done<RouteView> done);
  void rates(routing::RateQuery query, Done<RateView> done);
  // receipts.cpp
  void report_receipts(const std::string& app, std::vector<ReceiptReport> reports, Done<ReceiptAnswer> done);
  // inbox.cpp
  void inbox(const std::string& app, const std::string& device_id, const std::string& after, int64_t wait_ms,
             unsigned limit, Done<Broker::InboxPage> done);
  // channels.cpp
  void list_channels(Done<std::vector<ChannelView>> done);
  void set_channel(const std::string& name, const std::string& admin_state, Done<ChannelView> done);
  void reconfigure(std::vector<AppOptions> apps);
  // callbacks.cpp
  void on_webhook(WebhookReply reply, Done<Broker::CallbackAnswer> done);
  LifeFeed& life_feed() { return life_feed_; }

  // Writes what is dirty and a CHECKPOINT; `done` when both are durable, or have failed.
  void checkpoint(Callback<void()> done) { checkpointer_.begin(std::move(done)); }
  void prepare_stop() { stopping_ = true, checkpointer_.prepare_stop(); }  // the next checkpoint is the last
  bool idle() const;
  void close();  // answers what still waits (long polls)

  // What the tests of the invariants look at.
  struct Balance {
    uint64_t open_messages = 0, open_deliveries = 0, attempts = 0, flights = 0, timers = 0;
  };
  Balance balance() const;

 private:
  friend class Recovery;

  static constexpr MonoNs kQueuePatience = 5 * kNsPerSecond;  // before other channels are looked at

  // turn.cpp
  void on_timer(uint32_t payload);
  void flush_records();
  void publish();

  // accept.cpp
  MessageIx open_message(MessagePtr message, uint64_t position);

  // plan.cpp
  void plan(MessageIx);
  void add_delivery(MessageIx, DeviceNo device);
  void add_nobody(MessageIx, uint32_t name);
  DeliveryIx begin_delivery(MessageIx);
  void collapse_older(DeliveryIx);
  bool work_fanouts();
  void work_fanout(MessageIx, uint64_t budget);
  bool may_draw() const;
  bool journal_is_behind() const;
  void write_cursor(const MessageEntry&);
  void leave_fanout_window(DeliveryIx);

  // cascade.cpp
  void route(DeliveryIx);  // finds the channel for the first or next send
  routing::Decision decide(DeliveryIx, const Offers&);
  void gather_offers(const MessageEntry&, const Delivery&, Offers&) const;
  routing::Sleep sleep_of(const MessageEntry&, const Delivery&, const ChannelSlot&) const;
  routing::Ask ask_of(const MessageEntry&, const Delivery&);
  void send_everywhere(DeliveryIx, const Offers&);
  void end_cascade(DeliveryIx, const Offers&);
  void park(DeliveryIx);
  void look_again(DeliveryIx);
  void unpark_all();
  void on_silence(DeliveryIx);
  void on_impatience(DeliveryIx, ChannelNo channel);
  MonoNs next_silence(const Delivery&) const;
  void tell_silence(Delivery&, bool at_once = false);
  Choice choice_of(const routing::Decision&, const Offers&) const;

  // send.cpp
  void enqueue(DeliveryIx, ChannelNo, const Choice&, uint8_t failures);
  bool pump();
  bool pump(ChannelSlot&);
  bool waits_for_more(const ChannelSlot&, uint32_t most_targets) const;
  bool ready_to_send(ChannelSlot&, AttemptIx, std::vector<AttemptIx>& intents);
  ParcelTarget target_of(const MessageEntry&, const Delivery&, const ChannelSlot&) const;
  std::shared_ptr<const Parcel> make_parcel(const ChannelSlot&, uint32_t flight);
  void mark_sent(ChannelSlot&, AttemptIx);
  void write_intents(ChannelSlot&, std::vector<AttemptIx> attempts);
  void on_intents(ChannelNo, const std::vector<uint64_t>& attempts, Fate fate);
  void reroute_queue(ChannelSlot&);

  // settle.cpp
  void settle(AttemptIx, const Settlement&, const ParcelTarget&);
  void on_sent(DeliveryIx, AttemptIx);
  void on_withdrawn(DeliveryIx, AttemptIx);
  void retry_or_next(DeliveryIx, AttemptIx);
  unsigned failed_tries(const Delivery&, ChannelNo) const;
  AttemptIx repeatable(const Delivery&) const;
  void close_alike(Delivery&, const ChannelSlot&);
  void learn(Attempt&, const dispatch::Verdict&);
  void hold_channel(ChannelSlot&, int64_t retry_after_ms);

  // life.cpp
  void reach(DeliveryIx, DeliveryState);           // forwards on the path of life
  void finish(DeliveryIx, DeliveryState, Reason);  // final
  void expire(DeliveryIx);
  void complete_if_done(MessageIx);
  void arm(DeliveryIx, Wake, MonoNs at);  // or at its expiry, whichever is first
  void on_delivery_timer(DeliveryIx);
  void outcome_due(DeliveryIx);
  void encode_outcomes();
  void fill_progress(const MessageEntry&, const Delivery&, records::Progress&) const;
  void carry_message(const MessageEntry&, std::string& body) const;
  void drop_fanout_head(MessageIx);

  // receipts.cpp
  bool hear(DeliveryIx, AttemptIx, const Receipt&);  // false: counted before
  void on_receipt(const ChannelEvent&);
  DeliveryIx find_delivery_by_address(const MessageEntry&, const ChannelSlot&, const std::string& address) const;
  void count_delay(const MessageEntry&, ChannelNo);
  void remember_vendor_id(AttemptIx);

  // quota.cpp
  void on_quota(ChannelSlot&, const std::string& payload);
  void reset_quota_if_over(ChannelSlot&);
  // figures.cpp
  void on_figures(ChannelSlot&, const ChannelEvent&);

  // presence.cpp
  DeviceNo device_at(const ChannelSlot&, const std::string& address) const;
  void on_presence(const ChannelEvent&);
  void on_presence_reset(ChannelNo);
  void send_waiting(DeviceNo, ChannelSlot&, MonoNs away_since);
  bool missed(const Delivery&, const ChannelSlot&, MonoNs away_since) const;
  void gone_offline(DeviceNo, ChannelSlot&, MonoNs sent_at);
  void forget_presence(DeviceNo);
  bool may_wait_for_presence(const MessageEntry&, const Delivery&) const;

  // devices.cpp
  void answer_device(Result<RegistryChange> change, Done<DeviceAnswer>& done);
  void device_changed(const RegistryChange&);
  void load_device(DeviceNo);
  void forget_device(DeviceNo);
  std::string_view device_id(DeviceNo) const;  // also of one that was removed lately

  // channels.cpp
  void refresh_channel(ChannelSlot&);
  ChannelView view_of(const ChannelSlot&) const;
  std::vector<ChannelTrouble> troubles_of(const ChannelSlot&) const;
  void add_channels_to_router();
  std::vector<std::string> names_by_route() const;

  // inbox.cpp
  void wake_inbox(DeviceNo);
  void answer(LongPoll&);
  Broker::InboxPage inbox_page(DeviceNo, uint64_t after, unsigned limit) const;

  // recall.cpp
  void note_recall(DeliveryIx, std::vector<AttemptIx>& wishes);
  bool may_recall(const Delivery&) const;
  void queue_recalls(const std::vector<AttemptIx>& wishes);
  bool pump_recalls();
  void send_recall(ChannelSlot&, ChannelSlot::Recall);
  void on_recall(ChannelNo, ChannelSlot::Recall, const RecallAnswer&);
  void end_recall(uint64_t attempt, const RecallAnswer&);

  // cancel.cpp, dry_run.cpp
  CancelAnswer cancel_now(MessageIx);
  MessageEntry imagine(MessagePtr message);
  std::vector<routing::CandidateView> rank(const MessageEntry&, const Delivery&);
  DryRun::Sample try_out(const MessageEntry&, const Delivery&);

  // explain.cpp
  std::string why_sentence(const Attempt&) const;
  std::string why_json(const Attempt&) const;
  DeliveryView view_of(const MessageEntry&, const Delivery&) const;

  // life_events.cpp
  void emit(const MessageEntry&, const Delivery*, std::string_view event, ChannelNo channel, std::string detail = {});

  // decisions.cpp
  void log_decision(const MessageEntry&, const Delivery&);
  void flush_decisions();

  // What it stands on.
  const EngineOptions options_;
  const EngineParts parts_;
  EngineStats& stats_;
  intake::Intake& intake_;
  ChannelSet* channels_ = nullptr;
  const Post post_;
  const std::function<void(Callback<void()>)> post_job_;  // the same, for owners that do not know Core
  SlowJobs jobs_;
  MonoNs now_ = 0;  // of this turn
  WallMs wall_ = 0;
  Random random_;
  planner::TimerWheel timers_;

  // The owners: each keeps its part of the state whole, and none knows Core.
  MessageBook book_;
  Registry registry_;
  RegistryWriter registry_writer_;
  routing::Router router_;
  std::deque<ChannelSlot> slots_;  // by ChannelNo; addresses stay
  Apps apps_{slots_, stats_};
  Parked parked_{book_};
  LongPolls polls_{timers_};
  SeenEvents seen_events_;
  EarlyReceipts early_receipts_;
  LastWords words_;
  LifeFeed life_feed_;
  DecisionLog decision_log_;
  History history_;
  Checkpointer checkpointer_;

  // What the verbs share beside them.
  Slab<Flight> flights_;
  std::vector<ChannelNo> by_route_;        // the router's number -> ours
  std::vector<uint32_t> device_channels_;  // by device, bits: it has a live token (or registration) there
  boost::unordered_flat_map<DeviceNo, std::string> removed_ids_;
  std::deque<MessageIx> fanouts_;  // that still draw devices
  uint64_t fanout_window_ = 0;     // deliveries of fan-outs that are being worked on
  uint64_t scheduled_ = 0;         // messages whose time has not come
  bool more_ = false;              // there is more to do in the next turn
  bool recovering_ = false, stopping_ = false;
  MonoNs next_refresh_ns_ = 0;

  // Records of this turn.
  std::vector<DeliveryIx> outcomes_;  // whose OUTCOME is due
  std::string record_buffer_;
  uint32_t record_count_ = 0;

  // Used within one call, and kept for their memory.
  std::string body_buffer_;
  records::Progress progress_;
  planner::Recipients recipients_;
  std::vector<routing::AttemptMemo> memos_;
  std::vector<ChannelEvent> arrived_early_;  // found by the settlements of this call
};

}  // namespace godwit::engine
