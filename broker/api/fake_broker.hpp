// FakeBroker: a Broker for the tests of the API. It keeps devices and messages in memory, answers on a thread of its
// own as the real one does, records what it was asked, and fails or waits when it is told to.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "broker/base/mailbox.hpp"
#include "broker/base/thread.hpp"
#include "broker/engine/broker.hpp"

namespace godwit {

class FakeBroker final : public Broker {
 public:
  FakeBroker() {
    thread_ = start_thread("fake-broker", [this] {
      std::vector<Callback<void()>> tasks;
      while (!stop_) {
        if (!mailbox_.take(tasks, std::chrono::milliseconds(50))) continue;
        for (auto& task : tasks) task();
      }
    });
  }
  ~FakeBroker() override {
    stop_ = true;
    mailbox_.poke();
    thread_.join();
  }

  // Waits until everything asked so far has been answered, and runs `look` on the broker's thread.
  template <class Look>
  void look(Look look) {
    std::mutex m;
    std::unique_lock lock(m);
    std::condition_variable done;
    bool ready = false;
    mailbox_.put([&] {
      look();
      std::lock_guard guard(m);
      ready = true;
      done.notify_one();
    });
    done.wait(lock, [&] { return ready; });
  }
  // Every call ends in this error from now on.
  void fail_with(std::optional<Error> error) {
    look([&] { fail_ = std::move(error); });
  }
  void hold_accepts(bool hold) {
    look([&] { hold_ = hold; });
    if (hold) return;
    look([&] {
      for (auto& task : std::exchange(held_, {})) task();
    });
  }
  // As a broker with a bug would: the answers are never given.
  void forget_held() {
    look([&] { held_.clear(); });
  }
  void emit(LifeEvent event) {
    look([&] {
      std::lock_guard lock(sinks_mutex_);
      for (const auto& [id, sink] : sinks_)
        if (sink.first.empty() || sink.first == event.app) sink.second(event);
    });
  }
  size_t subscribers() {
    std::lock_guard lock(sinks_mutex_);
    return sinks_.size();
  }

  // What was asked; read inside look().
  std::map<std::pair<std::string, std::string>, Device> devices;
  std::map<MessageId, Message> messages;
  std::vector<std::vector<MessageDraft>> accepts;
  std::vector<ReceiptReport> receipts;
  std::vector<VendorCall> vendor_calls;
  std::vector<std::string> switches;
  std::vector<InboxItem> inbox_items;
  int64_t last_inbox_wait_ms = -1;
  routing::RateQuery last_rates;
  std::set<std::string> topics;  // app/topic/device

  void put_device(Device device, Done<DeviceAnswer> done) override {
    answer<DeviceAnswer>(std::move(done), [this, device = std::move(device)]() mutable -> Result<DeviceAnswer> {
      if (device.id.empty()) device.id = "made-" + std::to_string(devices.size());
      DeviceAnswer out;
      out.created = !devices.count({device.app, device.id});
      for (auto& [key, other] : devices)
        for (const DeviceChannel& c : device.channels)
          if (key.first == device.app && other.id != device.id && !c.token.empty() &&
              std::erase_if(other.channels, [&](const auto& o) { return o == c; }))
            out.moved_from.emplace_back(c.channel, other.id);
      device.version = 1;
      devices[{device.app, device.id}] = device;
      out.device = device;
      return out;
    });
  }
  void patch_device(std::string app, std::string id, Callback<Result<void>(Device&)> edit,
                    Done<DeviceAnswer> done) override {
    answer<DeviceAnswer>(std::move(done), [this, app, id, edit = std::move(edit)]() mutable -> Result<DeviceAnswer> {
      const auto it = devices.find({app, id});
      if (it == devices.end()) return none("device");
      Device changed = it->second;
      if (auto fine = edit(changed); !fine) return fine.error();
      it->second = changed;
      return DeviceAnswer{changed, false, {}};
    });
  }
  void get_device(std::string app, std::string id, Done<Device> done) override {
    answer<Device>(std::move(done), [this, app, id]() -> Result<Device> {
      const auto it = devices.find({app, id});
      if (it == devices.end()) return none("device");
      return it->second;
    });
  }
  void delete_device(std::string app, std::string id, Done<Device> done) override {
    answer<Device>(std::move(done), [this, app, id]() -> Result<Device> {
      const auto it = devices.find({app, id});
      if (it == devices.end()) return none("device");
      Device out = it->second;
      devices.erase(it);
      return out;
    });
  }
  void user_devices(std::string app, std::string user, Done<std::vector<Device>> done) override {
    answer<std::vector<Device>>(std::move(done), [this, app, user]() -> Result<std::vector<Device>> {
      std::vector<Device> out;
      for (const auto& [key, device] : devices)
        if (key.first == app && device.user_id == user) out.push_back(device);
      return out;
    });
  }
  void list_devices(std::string app, std::string page, unsigned limit, Done<DeviceList> done) override {
    answer<DeviceList>(std::move(done), [this, app, page, limit]() -> Result<DeviceList> {
      DeviceList out;
      for (const auto& [key, device] : devices) {
        if (key.first != app || key.second <= page) continue;
        if (out.devices.size() == limit) {
          out.next_page = out.devices.back().id;
          break;
        }
        out.devices.push_back(device);
      }
      return out;
    });
  }
  void set_topic(std::string app, std::string topic, std::string id, bool subscribed, Done<void> done) override {
    answer<void>(std::move(done), [this, app, topic, id, subscribed]() -> Result<void> {
      if (!devices.count({app, id})) return none("device");
      if (subscribed)
        topics.insert(app + "/" + topic + "/" + id);
      else
        topics.erase(app + "/" + topic + "/" + id);
      return {};
    });
  }
  void list_topics(std::string, Done<std::vector<TopicInfo>> done) override {
    answer<std::vector<TopicInfo>>(std::move(done), []() -> Result<std::vector<TopicInfo>> {
      return std::vector<TopicInfo>{{"news", 2}};
    });
  }
  void topic_devices(std::string, std::string, std::string, Done<TopicPage> done) override {
    answer<TopicPage>(std::move(done), []() -> Result<TopicPage> { return TopicPage{{"d1", "d2"}, 2, ""}; });
  }

  void accept(std::vector<MessageDraft> drafts, Callback<void(std::vector<Result<AcceptAnswer>>)> done) override {
    mailbox_.put([this, drafts = std::move(drafts), done = std::move(done)]() mutable {
      accepts.push_back(drafts);
      std::vector<Result<AcceptAnswer>> out;
      for (MessageDraft& draft : drafts) out.push_back(accept_one(draft));
      if (!hold_) return done(std::move(out));
      held_.push_back([done = std::move(done), out = std::move(out)]() mutable { done(std::move(out)); });
    });
  }
  void get_message(std::string app, MessageId id, Done<MessageView> done) override {
    answer<MessageView>(std::move(done), [this, app, id]() -> Result<MessageView> {
      const auto it = messages.find(id);
      if (it == messages.end() || it->second.app != app) return none("message");
      MessageView out;
      out.message = std::make_shared<Message>(it->second);
      out.status = "delivered";
      out.counts = {1, 1, 1, 1, 0, 0, 0, 0, 0};
      out.complete = true;
      return out;
    });
  }
  void get_deliveries(std::string app, MessageId id, std::string, std::string, Done<DeliveryPage> done) override {
    answer<DeliveryPage>(std::move(done), [this, app, id]() -> Result<DeliveryPage> {
      const auto it = messages.find(id);
      if (it == messages.end() || it->second.app != app) return none("message");
      DeliveryView delivery{"d1", "u1", DeliveryState::delivered, "", 1, 2, {}, {}};
      delivery.attempts.push_back(
          {"selfconn", 1, 1, 2, "delivered", 0, "v1", "", "vendor says \xff", "it is connected", R"({"p":0.9})"});
      delivery.receipts.push_back({ReceiptEvent::delivered, ReceiptSource::device, "selfconn", 2});
      return DeliveryPage{{delivery}, "more"};
    });
  }
  void cancel_message(std::string app, MessageId id, Done<CancelAnswer> done) override {
    answer<CancelAnswer>(std::move(done), [this, app, id]() -> Result<CancelAnswer> {
      const auto it = messages.find(id);
      if (it == messages.end() || it->second.app != app) return none("message");
      return CancelAnswer{1, 0};
    });
  }
  void dry_run(MessageDraft, Done<DryRun> done) override {
    answer<DryRun>(std::move(done), []() -> Result<DryRun> {
      Preview shown{{{"POST", "https://api.example/send", {{"authorization", "***"}, {"x-topic", "t"}}, "{\"a\":1}"}},
                    {},
                    {{"/notification/title", "is cut to 50 characters"}}};
      Preview refused{{}, {{"/overrides/a", "must be an object; take the brackets away"}}, {}};
      return DryRun{2,
                    {{"d1", "u1", "", "a", "it is connected", 0.9, std::move(shown)},
                     {"d2", "u2", "", "a", "the only one", 0.5, std::move(refused)}}};
    });
  }
  void report_receipts(std::string, std::vector<ReceiptReport> reports, Done<ReceiptAnswer> done) override {
    answer<ReceiptAnswer>(std::move(done), [this, reports = std::move(reports)]() -> Result<ReceiptAnswer> {
      receipts.insert(receipts.end(), reports.begin(), reports.end());
      return ReceiptAnswer{reports.size(), 0, 0};
    });
  }
  void inbox(std::string, std::string, std::string after, int64_t wait_ms, unsigned, Done<InboxPage> done) override {
    mailbox_.put([this, after, wait_ms, done = std::move(done)]() mutable {
      last_inbox_wait_ms = wait_ms;
      if (wait_ms > 0 && inbox_items.empty())
        return held_.push_back([done = std::move(done)]() mutable { done(InboxPage{}); });
      done(InboxPage{inbox_items, inbox_items.empty() ? after : inbox_items.back().cursor});
    });
  }
  void vendor_callback(VendorCall request, Done<CallbackAnswer> done) override {
    answer<CallbackAnswer>(std::move(done), [this, request = std::move(request)]() -> Result<CallbackAnswer> {
      if (request.channel == "missing") return none("channel");
      vendor_calls.push_back(request);
      return CallbackAnswer{201, "text/xml", "<ok/>"};
    });
  }
  void list_channels(Done<std::vector<ChannelView>> done) override {
    answer<std::vector<ChannelView>>(std::move(done),
                                     []() -> Result<std::vector<ChannelView>> { return std::vector{channel("c1")}; });
  }
  void set_channel(std::string name, std::string state, Done<ChannelView> done) override {
    answer<ChannelView>(std::move(done), [this, name, state]() -> Result<ChannelView> {
      if (name != "c1") return none("channel");
      switches.push_back(state);
      ChannelView out = channel(name);
      out.admin_state = state;
      return out;
    });
  }
  void reload_channel(std::string name, Done<ReloadReport> done) override {
    answer<ReloadReport>(std::move(done), [name]() -> Result<ReloadReport> {
      if (name != "c1") return none("channel");
      return ReloadReport{.switched = true,
                          .step = "switch",
                          .text = {},
                          .pointer = {},
                          .version_before = "1.0",
                          .version_after = "1.1",
                          .library_before = "aa",
                          .library_after = "bb",
                          .took_ms = 12};
    });
  }
  void route(std::string app, std::string id, Priority, Done<RouteView> done) override {
    answer<RouteView>(std::move(done), [this, app, id]() -> Result<RouteView> {
      if (!devices.count({app, id})) return none("device");
      RouteView out;
      out.channel_names = {"c1", "c2"};
      out.decision.action = routing::Action::send;
      out.decision.channel = 0;
      out.decision.next_check_s = 5;
      out.decision.reason = routing::Reason::exploit;
      out.decision.p = 0.9;
      out.decision.utility = 0.5;
      out.candidates.resize(2);
      out.candidates[0].channel = 0;
      out.candidates[1].channel = 1;
      out.candidates[1].sleep = routing::Sleep::no_token;
      return out;
    });
  }
  void rates(routing::RateQuery query, Done<RateView> done) override {
    answer<RateView>(std::move(done), [this, query]() -> Result<RateView> {
      last_rates = query;
      RateView out;
      out.channel_names = {"c1"};
      out.rows.push_back({0, "Xiaomi", "", "", routing::ReceiptKind::device, 12, 9, 1, 0.9, 0.7, 0.98, 0.4, 10});
      out.rows.push_back({0, "Xiaomi", "", "", routing::ReceiptKind::accepted, 10, 0, 0, 0, 0, 0, 0, 10});
      out.rows.push_back({0, "vivo", "", "", routing::ReceiptKind::device, 3, 0, 0, 0, 0, 1, 0, 0});
      return out;
    });
  }
  uint64_t subscribe(std::string app, LifeEventSink sink) override {
    std::lock_guard lock(sinks_mutex_);
    sinks_[++next_sink_] = {std::move(app), std::move(sink)};
    return next_sink_;
  }
  void unsubscribe(uint64_t id) override {
    std::lock_guard lock(sinks_mutex_);
    sinks_.erase(id);
  }

 private:
  static Error none(std::string_view what) {
    return {Code::not_found, "there is no such " + std::string(what), std::string(what)};
  }
  static ChannelView channel(const std::string& name) {
    ChannelView out;
    out.name = name;
    out.plugin = "loopback";
    out.state = "ready";
    out.admin_state = "enabled";
    out.window = 16;
    return out;
  }
  template <class T, class Make>
  void answer(Done<T> done, Make make) {
    mailbox_.put([this, done = std::move(done), make = std::move(make)]() mutable {
      if (fail_) return done(*fail_);
      done(make());
    });
  }
  Result<AcceptAnswer> accept_one(MessageDraft& draft) {
    if (fail_) return *fail_;
    const std::string key = draft.message.app + "/" + draft.idempotency_key;
    if (!draft.idempotency_key.empty() && keys_.count(key)) {
      if (messages[keys_[key]].content != draft.message.content)
        return Error{Code::conflict, "the Idempotency-Key was used for another message", "Idempotency-Key"};
      return AcceptAnswer{keys_[key], true, 1, DeliveryState::planned};
    }
    draft.message.id = MessageId::make(1'790'000'000'000, 1, {0, ++next_id_});
    draft.message.accepted_ms = draft.message.deliver_at_ms = 1'790'000'000'000;
    messages[draft.message.id] = draft.message;
    if (!draft.idempotency_key.empty()) keys_[key] = draft.message.id;
    AcceptAnswer out{draft.message.id, false, 1, DeliveryState::planned};
    if (draft.message.to.kind == AudienceKind::all) out.recipients.reset();
    return out;
  }

  Mailbox<Callback<void()>> mailbox_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
  std::optional<Error> fail_;
  bool hold_ = false;
  std::vector<Callback<void()>> held_;
  std::map<std::string, MessageId> keys_;
  uint64_t next_id_ = 0;
  std::mutex sinks_mutex_;
  std::map<uint64_t, std::pair<std::string, LifeEventSink>> sinks_;
  uint64_t next_sink_ = 0;
};

}  // namespace godwit
