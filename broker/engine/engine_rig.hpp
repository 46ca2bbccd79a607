// EngineRig: the real engine on a clock that tests turn by hand, over a memory journal, with channels that are played
// by the test. No threads: everything happens inside turn().
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/engine/core.hpp"
#include "broker/engine/engine.hpp"
#include "broker/storage/memory/memory_catalogue.hpp"
#include "broker/storage/memory/memory_journal.hpp"

namespace godwit {

// Commits when it is told to, or at once.
class ManualLedger final : public Ledger {
 public:
  ManualLedger(Journal& journal, const Clock& clock) : journal_(journal), clock_(clock) {}

  bool submit(std::string records, uint32_t count, Committed done) override {
    if (full || dead) return false;
    queue_.push_back({std::move(records), count, std::move(done), {}});
    if (!held) commit();
    return true;
  }
  void submit_lazy(std::string records, uint32_t count, Committed done) override {
    if (dead) return;
    queue_.push_back({std::move(records), count, std::move(done), {}});
    if (!held) commit();
  }
  void run_on_writer(Callback<void(Journal&)> job) override {
    if (dead) return;
    queue_.push_back({{}, 0, {}, std::move(job)});
    if (!held) commit();
  }
  bool poisoned() const override { return poisoned_ || dead; }
  uint64_t queued_bytes() const override { return queued; }

  // Everything that waits, one batch each, in order.
  void commit() {
    if (committing_) return;  // a completion submitted: its turn comes in the loop below
    committing_ = true;
    while (!queue_.empty()) {
      Item item = std::move(queue_.front());
      queue_.pop_front();
      if (item.job) {
        item.job(journal_);
        continue;
      }
      const Appended appended = journal_.append(item.records, item.count, clock_.wall_ms());
      if (appended.fate == Fate::unknown) poisoned_ = true;
      if (item.done) item.done(appended.fate, {appended.offset, 0});
    }
    committing_ = false;
  }
  // What waits is lost, as in a crash before the write.
  void lose() { queue_.clear(); }

  bool held = false, full = false;
  bool dead = false;    // the process is gone: nothing is written any more
  uint64_t queued = 0;  // what it says of itself

 private:
  struct Item {
    std::string records;
    uint32_t count;
    Committed done;
    Callback<void(Journal&)> job;
  };
  Journal& journal_;
  const Clock& clock_;
  std::deque<Item> queue_;
  bool poisoned_ = false, committing_ = false;
};

// Channels whose answers the test gives.
class FakeChannels final : public ChannelSet {
 public:
  struct Sent {
    ChannelNo channel;
    std::shared_ptr<const Parcel> parcel;
    uint32_t target = 0;
    const ParcelTarget& to() const { return parcel->targets[target]; }
  };
  struct Channel {
    ChannelStatus status;
    uint32_t credit = 1'000;
    // Answers at once when set; nullopt leaves the parcel to the test.
    std::function<std::optional<Settlement>(const Sent&)> script;
  };

  ChannelNo add(const std::string& name, ChannelCaps caps) {
    Channel& c = channels.emplace_back();
    c.status.name = c.status.plugin = name;
    c.status.state = ChannelState::ready;
    c.status.caps = caps;
    c.status.window = c.credit;
    return static_cast<ChannelNo>(channels.size() - 1);
  }

  size_t size() const override { return channels.size(); }
  ChannelStatus status(ChannelNo no) const override { return channels[no].status; }
  std::optional<ChannelNo> find(std::string_view name) const override {
    for (size_t i = 0; i < channels.size(); ++i)
      if (channels[i].status.name == name) return static_cast<ChannelNo>(i);
    return std::nullopt;
  }
  uint32_t credit(ChannelNo no, MonoNs) const override {
    return channels[no].status.state == ChannelState::ready ? channels[no].credit : 0;
  }
  bool submit(ChannelNo no, std::vector<std::shared_ptr<const Parcel>> parcels) override {
    if (refuse_submit) return false;
    ++submits;
    std::vector<Settlement> answers;
    for (auto& parcel : parcels)
      for (uint32_t t = 0; t < parcel->targets.size(); ++t) {
        Sent s{no, parcel, t};
        sent.push_back(s);
        if (!channels[no].script) continue;
        if (auto answer = channels[no].script(s)) {
          answer->channel = no;
          answer->cookie = parcel->cookie;
          answer->target = t;
          answers.push_back(std::move(*answer));
        }
      }
    if (!answers.empty()) sink->settled(std::move(answers));
    return true;
  }
  void cancel(ChannelNo, uint64_t cookie) override { cancelled.push_back(cookie); }
  struct Recalled {
    ChannelNo channel;
    RecallWish wish;
    Callback<void(RecallAnswer)> done;
  };
  void recall(ChannelNo no, RecallWish wish, Callback<void(RecallAnswer)> done) override {
    recalls.push_back({no, std::move(wish), std::move(done)});
  }
  Result<WebhookReply> parse_webhook(ChannelNo, const WebhookRequest& request) override {
    if (webhook) return webhook(request);
    return Error{Code::forbidden, "the signature is wrong", {}};
  }
  Result<Preview> preview(ChannelNo no, const Parcel& parcel) override {
    if (show) return show(parcel);
    const std::string body = "{\"" + channels[no].status.name + "\":\"" + parcel.targets[0].address + "\"}";
    return Preview{{{"POST", "https://vendor.example/send", {}, body}}, {}, {}};
  }
  void event_room(ChannelNo no) override { told_of_room.push_back(no); }
  void reload(ChannelNo no, Callback<void(ReloadReport)> done) override {
    ReloadReport report;
    report.switched = no == 0;
    report.step = no == 0 ? "switch" : "ready";
    report.text = no == 0 ? "" : "it is down";
    done(std::move(report));
  }

  ChannelSink* sink = nullptr;
  std::deque<Channel> channels;
  std::vector<Sent> sent;  // all that was ever submitted, one per target
  std::vector<uint64_t> cancelled;
  std::deque<Recalled> recalls;  // the test answers
  std::vector<ChannelNo> told_of_room;
  uint64_t submits = 0;
  bool refuse_submit = false;
  std::function<Result<WebhookReply>(const WebhookRequest&)> webhook;
  std::function<Result<Preview>(const Parcel&)> show;
};

class EngineRig {
 public:
  // Channels of the usual kinds; add others before boot().
  static ChannelCaps vendor_caps() {  // takes it, and sends a receipt later
    ChannelCaps caps;
    caps.receipt_kinds = 1 | 2 | 8;
    caps.silent = caps.ttl = true;
    caps.webhook = true;
    return caps;
  }
  static ChannelCaps blind_caps() {  // takes it, and that is all one learns
    ChannelCaps caps;
    caps.receipt_kinds = 1;
    caps.silent = true;
    return caps;
  }
  static ChannelCaps connection_caps() {
    ChannelCaps caps;
    caps.receipt_kinds = 1 | 2 | 8;
    caps.presence = caps.silent = caps.owns_listener = caps.vendor_receipts_are_device = true;
    return caps;
  }
  static ChannelCaps server_caps() {  // a server that devices connect to stands in between, as with XMPP
    ChannelCaps caps = connection_caps();
    caps.owns_listener = caps.vendor_receipts_are_device = false;
    return caps;
  }

  explicit EngineRig(EngineOptions o = {}, uint64_t segment_bytes = 128u << 20)
      : options(std::move(o)), journal(segment_bytes) {
    options.apps = {{"shop", {}}, {"news", {}}};
    options.router.exploration = {};  // tests say which channel is taken
    (void)journal.open();
  }

  void boot() {
    EngineParts parts{clock,
                      journal,
                      ledger,
                      catalogue,
                      [this](Callback<void()> job) { job(); },
                      [this](const std::string& lines) { decisions += lines; }};
    engine = std::make_unique<Engine>(options, parts);
    channels.sink = engine.get();
    engine->attach(channels);
    auto recovered = engine->recover();
    if (recovered)
      report = *recovered;
    else
      boot_error = recovered.error().message;
    settle_down();
  }
  // An orderly stop and start.
  void restart() {
    engine->stop();
    crash();
  }
  // A crash: what the ledger had not written is gone, and so is everything in memory.
  void crash() {
    ledger.lose();
    ledger.dead = true;
    engine.reset();
    ledger.dead = false;
    channels.sent.clear();
    channels.cancelled.clear();
    channels.recalls.clear();
    (void)journal.open();
    ledger.held = false;
    boot();
  }

  void settle_down() {
    while (engine->turn()) {
    }
  }
  void pass(int64_t ms) {  // in steps, as a real loop would see it
    const int64_t least = std::max<int64_t>(50, ms / 500);
    while (ms > 0) {
      const int64_t step = std::min<int64_t>(ms, least);
      clock.advance_ms(step);
      ms -= step;
      settle_down();
    }
  }

  // ---- Broker calls, answered
  template <class T, class F>
  Result<T> ask(F f) {
    std::optional<Result<T>> out;
    f([&out](Result<T> r) { out = std::move(r); });
    settle_down();
    if (!out) return Error{Code::internal, "no answer came", {}};
    return std::move(*out);
  }
  Device add_device(const std::string& id, const std::string& user, std::vector<std::string> on,
                    const std::string& app = "shop") {
    Device d;
    d.app = app;
    d.id = id;
    d.user_id = user;
    d.platform = "android";
    for (const std::string& channel : on) {
      const auto no = channels.find(channel);
      const bool tokenless = no && channels.channels[*no].status.caps.owns_listener;
      d.channels.push_back({channel, tokenless ? "" : "t-" + id + "-" + channel, false, 0});
    }
    auto answer = ask<DeviceAnswer>([&](auto done) { engine->put_device(d, std::move(done)); });
    return answer ? answer->device : Device{};
  }
  static MessageDraft draft(const std::string& user, const std::string& app = "shop") {
    MessageDraft m;
    m.message.app = app;
    m.message.to = {AudienceKind::user, "", {user}};
    m.message.content = R"({"notification":{"title":"Hi"}})";
    m.message.ttl_ms = 3'600'000;
    return m;
  }
  Result<AcceptAnswer> accept(MessageDraft m) {
    std::vector<MessageDraft> drafts;
    drafts.push_back(std::move(m));
    return std::move(accept_all(std::move(drafts)).at(0));
  }
  std::vector<Result<AcceptAnswer>> accept_all(std::vector<MessageDraft> drafts) {
    std::vector<Result<AcceptAnswer>> out;
    engine->accept(std::move(drafts), [&out](std::vector<Result<AcceptAnswer>> r) { out = std::move(r); });
    settle_down();
    return out;
  }
  MessageId send(MessageDraft m) {
    auto answer = accept(std::move(m));
    return answer ? answer->id : MessageId{};
  }
  Result<MessageView> look(MessageId id, const std::string& app = "shop") {
    return ask<MessageView>([&](auto done) { engine->get_message(app, id, std::move(done)); });
  }
  MessageCounts counts(MessageId id) {
    auto v = look(id);
    return v ? v->counts : MessageCounts{};
  }
  std::string status(MessageId id) {
    auto v = look(id);
    return v ? v->status : v.error().message;
  }
  std::vector<DeliveryView> deliveries(MessageId id, const std::string& device = {}) {
    auto page = ask<DeliveryPage>([&](auto done) { engine->get_deliveries("shop", id, device, "", std::move(done)); });
    return page ? page->deliveries : std::vector<DeliveryView>{};
  }
  DeliveryView delivery(MessageId id) {
    auto all = deliveries(id);
    return all.empty() ? DeliveryView{} : all[0];
  }

  // ---- What channels say
  static Settlement outcome(Disposition d, std::string vendor_id = {}) {
    Settlement s;
    s.disposition = d;
    s.vendor_id = std::move(vendor_id);
    return s;
  }
  void answer(const std::string& channel, Disposition d) {
    channels.channels[*channels.find(channel)].script = [d](const FakeChannels::Sent& s) {
      return outcome(d, "v" + std::to_string(s.parcel->cookie) + "-" + std::to_string(s.target));
    };
  }
  void leave_open(const std::string& channel) { channels.channels[*channels.find(channel)].script = nullptr; }
  void settle(const FakeChannels::Sent& sent, Settlement s) {
    s.channel = sent.channel;
    s.cookie = sent.parcel->cookie;
    s.target = sent.target;
    engine->settled({std::move(s)});
    settle_down();
  }
  void event(ChannelEvent e) {
    engine->events({std::move(e)});
    settle_down();
  }
  void receipt(const std::string& channel, const std::string& vendor_id, uint32_t subkind = 2, bool by_device = false) {
    ChannelEvent e;
    e.by_device = by_device;
    e.kind = ChannelEvent::Kind::receipt;
    e.channel = *channels.find(channel);
    e.vendor_id = vendor_id;
    e.subkind = subkind;
    event(std::move(e));
  }
  void presence(const std::string& channel, const std::string& device, bool online, const std::string& app = "shop") {
    ChannelEvent e;
    e.kind = ChannelEvent::Kind::presence;
    e.channel = *channels.find(channel);
    e.address = app + "/" + device;
    e.subkind = online ? 1 : 0;
    e.seq = ++presence_seq;
    event(std::move(e));
  }
  std::vector<std::string> sent_over() const {  // channel names, in order
    std::vector<std::string> out;
    for (const auto& s : channels.sent) out.push_back(channels.channels[s.channel].status.name);
    return out;
  }
  std::string vendor_id_of(size_t i) const {
    return "v" + std::to_string(channels.sent[i].parcel->cookie) + "-" + std::to_string(channels.sent[i].target);
  }

  EngineOptions options;
  std::string decisions;  // the decision log
  ManualClock clock;
  MemoryJournal journal;
  ManualLedger ledger{journal, clock};
  MemoryCatalogue catalogue;
  FakeChannels channels;
  std::unique_ptr<Engine> engine;
  RecoveryReport report;
  std::string boot_error;
  uint64_t presence_seq = 0;
};

}  // namespace godwit
