#include "broker/api/routes/event_stream.hpp"

#include <algorithm>
#include <array>
#include <mutex>

#include "broker/api/parse/names.hpp"
#include "broker/api/views.hpp"

namespace godwit {
namespace {

constexpr MonoNs kHeartbeatNs = 15 * kNsPerSecond;
constexpr size_t kMostWaiting = 10'000;  // events between the engine and a reader's thread
constexpr std::array<std::string_view, 12> kSteps{"accepted",  "planned",   "attempted",  "sent",
                                                  "delivered", "opened",    "suppressed", "failed",
                                                  "expired",   "cancelled", "recalled",   "recall_failed"};

struct Filter {
  std::optional<MessageId> message;
  std::string device;
  std::vector<std::string> steps;  // empty: all

  bool wants(const LifeEvent& e) const {
    return (!message || e.message == *message) && (device.empty() || e.device_id == device) &&
           (steps.empty() || std::find(steps.begin(), steps.end(), e.event) != steps.end());
  }
};

Filter read_filter(Call& call) {
  Filter out;
  if (call.query.has("message_id")) {
    out.message = MessageId::parse(call.query.text("message_id"));
    if (!out.message) call.faults.add_named("query:message_id", fault_codes::format, "message ids have 26 characters");
  }
  out.device = std::string(call.query.text("device_id"));
  if (call.query.has("device_id") && !names::is_device_id(out.device))
    call.faults.add_named("query:device_id", fault_codes::format, std::string(names::kDeviceIdRule));
  std::string_view steps = call.query.text("event");
  while (!steps.empty()) {
    const size_t comma = steps.find(',');
    const std::string_view step = steps.substr(0, comma);
    steps = comma == steps.npos ? std::string_view() : steps.substr(comma + 1);
    if (std::find(kSteps.begin(), kSteps.end(), step) == kSteps.end())
      call.faults.add_named("query:event", fault_codes::one_of, "there is no step '" + std::string(step) + "'");
    out.steps.emplace_back(step);
  }
  return out;
}

// One reader. The engine's thread puts events into `waiting_` and never waits; the home thread takes and writes them. A
// reader who falls behind, on either side, is told and cut off: what it then misses it would miss silently otherwise.
class EventStream final : public http::Watcher, public std::enable_shared_from_this<EventStream> {
 public:
  EventStream(Api& api, Filter filter, http::Reply reply)
      : api_(api), filter_(std::move(filter)), reply_(std::move(reply)), home_(reply_.home()) {}

  void start(const std::string& app) {
    reply_.watch(shared_from_this());
    subscription_ =
        api_.broker().subscribe(app, [self = std::weak_ptr<EventStream>(shared_from_this())](const LifeEvent& event) {
          if (const auto stream = self.lock()) stream->take(event);
        });
    reply_.begin(200, "text/event-stream");
    reply_.write(": the stream begins\n\n");
    written_at_ = api_.parts.clock.mono_ns();
  }

  void on_tick(MonoNs now) override {
    if (now - written_at_ < kHeartbeatNs) return;
    reply_.write(": still here\n\n");
    written_at_ = now;
  }
  void on_drain() override { end("draining", "the broker is stopping; connect again"); }
  void on_closed() override {
    api_.broker().unsubscribe(subscription_);
    std::lock_guard lock(mutex_);
    closed_ = true;
    waiting_.clear();
  }

 private:
  // The engine's thread.
  void take(const LifeEvent& event) {
    if (!filter_.wants(event)) return;
    {
      std::lock_guard lock(mutex_);
      if (closed_ || overflow_) return;
      if (waiting_.size() >= kMostWaiting)
        overflow_ = true;
      else
        waiting_.push_back(event);
      if (posted_) return;
      posted_ = true;
    }
    home_->post([self = shared_from_this()] { self->write_waiting(); });
  }

  // Home thread.
  void write_waiting() {
    std::vector<LifeEvent> events;
    bool overflow = false;
    {
      std::lock_guard lock(mutex_);
      events.swap(waiting_);
      overflow = overflow_;
      posted_ = false;
    }
    std::string text;
    for (const LifeEvent& event : events) {
      text += "event: " + event.event + "\ndata: ";
      JsonWriter json(text);
      write_event(json, event);
      text += "\n\n";
    }
    reply_.write(text);
    if (!text.empty()) written_at_ = api_.parts.clock.mono_ns();
    if (overflow || reply_.unsent_bytes() > api_.options.limits.event_buffer_bytes)
      end("slow_reader", "events came faster than they were read; connect again, or filter");
  }

  void end(std::string_view reason, std::string_view detail) {
    std::string text = "event: end\ndata: ";
    JsonWriter(text).object().field("event", "end").field("reason", reason).field("detail", detail).end_object();
    reply_.write(text + "\n\n");
    reply_.finish();
  }

  Api& api_;
  const Filter filter_;
  http::Reply reply_;
  const std::shared_ptr<http::Home> home_;
  uint64_t subscription_ = 0;
  MonoNs written_at_ = 0;

  std::mutex mutex_;
  std::vector<LifeEvent> waiting_;                           // mutex_
  bool overflow_ = false, posted_ = false, closed_ = false;  // mutex_
};

}  // namespace

void stream_events(Api& api, Call& call, http::Reply reply) {
  Filter filter = read_filter(call);
  if (!call.faults.empty()) return reply.send(call.faults.response());
  if (call.request.method == http::Method::head) {
    http::Response out;
    out.content_type = "text/event-stream";
    return reply.send(std::move(out));
  }
  std::make_shared<EventStream>(api, std::move(filter), std::move(reply))->start(call.caller.app);
}

}  // namespace godwit
