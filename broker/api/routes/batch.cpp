#include "broker/api/routes/batch.hpp"

#include <deque>
#include <optional>

#include "broker/api/parse/batch_splitter.hpp"
#include "broker/api/views.hpp"

namespace godwit {
namespace {

// Pieces that may be with the broker at the same time: enough to keep the journal busy, little enough to bound memory
// (a piece is at most 64 KiB of text).
constexpr size_t kGroupsInFlight = 8;

std::optional<BatchSplitter::Format> format_of(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  for (const char* lines :
       {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"})
    if (http::equal_ignoring_case(type, lines)) return BatchSplitter::Format::lines;
  if (http::equal_ignoring_case(type, "application/json")) return BatchSplitter::Format::array;
  return std::nullopt;
}

// One batch. Each piece of the body becomes a group: its messages go to the broker in one call, its answers are written
// when it and all groups before it are done. Home thread only.
class Batch final : public http::Watcher, public std::enable_shared_from_this<Batch> {
 public:
  Batch(Api& api, Caller caller, BatchSplitter::Format format, http::Reply reply)
      : api_(api),
        caller_(std::move(caller)),
        splitter_(format, api.options.limits.body_bytes),
        reply_(std::move(reply)),
        home_(reply_.home()) {}

  void start() { reply_.watch(shared_from_this()); }

  void on_data(std::string_view piece) override {
    splitter_.feed(piece, [this](std::string_view text, bool too_long) { add(text, too_long); });
    submit();
  }
  void on_end() override {
    splitter_.end([this](std::string_view text, bool too_long) { add(text, too_long); });
    submit();
    ended_ = true;
    write_done();
  }
  bool wants_data() override {
    return groups_.size() < kGroupsInFlight && !throttled_ && !draining_ &&
           reply_.unsent_bytes() < api_.options.limits.unread_answers_bytes;
  }
  void on_tick(MonoNs now) override {
    if (!throttled_ || now < throttled_until_) return;
    throttled_ = false;
    reply_.resume();
  }
  // What came is answered, what did not come is not read.
  void on_drain() override {
    draining_ = true;
    write_done();
  }

 private:
  struct Group {
    uint64_t first_index = 0;
    // An answer's text each; empty where the broker answers, in the drafts' order.
    std::vector<std::string> lines;
    std::vector<MessageDraft> drafts;
    bool done = false;
  };

  void add(std::string_view text, bool too_long) {
    if (!open_) {
      open_ = std::make_shared<Group>();
      open_->first_index = next_index_;
    }
    const uint64_t index = next_index_++;
    Faults faults;
    if (too_long) {
      faults.add(Place(), fault_codes::too_large,
                 "the message is longer than " + std::to_string(api_.options.limits.body_bytes) + " bytes");
    } else if (auto draft = parse_message(text, api_.rules, *caller_.rules, api_.now(), {}, faults)) {
      draft->message.app = caller_.app;
      open_->drafts.push_back(*std::move(draft));
      open_->lines.emplace_back();
      return;
    }
    std::string& line = open_->lines.emplace_back();
    line = "{\"index\":" + std::to_string(index) + ",\"error\":";
    faults.append_to(line);
    line += "}\n";
  }

  void submit() {
    if (!open_) return;
    const std::shared_ptr<Group> group = std::move(open_);
    groups_.push_back(group);
    if (group->drafts.empty()) {
      group->done = true;
      return write_done();
    }
    throttle(group->drafts.size());
    api_.broker().accept(std::exchange(group->drafts, {}),
                         [home = home_, self = shared_from_this(), group](std::vector<Result<AcceptAnswer>> results) {
                           home->post([self, group, results = std::move(results)] { self->answered(*group, results); });
                         });
  }

  // A batch over the app's quota is slowed down, not refused.
  void throttle(size_t messages) {
    const MonoNs now = api_.parts.clock.mono_ns();
    const double wait_s = caller_.quota->messages.owe(static_cast<int64_t>(messages), now);
    throttled_ = wait_s > 0;
    throttled_until_ = now + static_cast<MonoNs>(wait_s * kNsPerSecond);
  }

  void answered(Group& group, const std::vector<Result<AcceptAnswer>>& results) {
    size_t next = 0;
    for (size_t i = 0; i < group.lines.size(); ++i) {
      std::string& line = group.lines[i];
      if (!line.empty()) continue;
      line = "{\"index\":" + std::to_string(group.first_index + i);
      if (next < results.size() && results[next]) {
        line += ",\"message_id\":\"" + results[next]->id.text() + "\"";
        if (results[next]->repeated) line += ",\"repeated\":true";
      } else {
        line += ",\"error\":";
        append_problem(line, next < results.size() ? results[next].error()
                                                   : Error{Code::internal, "the broker did not answer", ""});
      }
      line += "}\n";
      ++next;
    }
    group.done = true;
    write_done();
    reply_.resume();
  }

  void write_done() {
    std::string text;
    while (!groups_.empty() && groups_.front()->done) {
      for (const std::string& line : groups_.front()->lines) text += line;
      groups_.pop_front();
    }
    write(text);
    if (!groups_.empty()) return;
    if (!splitter_.broken().empty()) return fail();
    if (!ended_ && draining_) write_stopping();
    if (!ended_ && !draining_) return;
    begin();
    reply_.finish();
  }

  void write_stopping() {
    std::string line = "{\"index\":" + std::to_string(next_index_) + ",\"error\":";
    append_problem(line, problem_kinds::unavailable, "the broker is stopping; send this message and the rest again");
    write(line + "}\n");
  }

  // The text is no array: nothing after the fault can be told apart, so the batch ends here.
  void fail() {
    Faults faults;
    faults.set_malformed(splitter_.broken());
    if (!begun_) return reply_.send(faults.response());
    std::string line = "{\"index\":" + std::to_string(next_index_) + ",\"error\":";
    faults.append_to(line);
    write(line + "}\n");
    reply_.finish();
  }

  void begin() {
    if (!std::exchange(begun_, true)) reply_.begin(200, "application/x-ndjson");
  }
  void write(std::string_view text) {
    if (text.empty()) return;
    begin();
    reply_.write(text);
  }

  Api& api_;
  const Caller caller_;
  BatchSplitter splitter_;
  http::Reply reply_;
  const std::shared_ptr<http::Home> home_;
  std::shared_ptr<Group> open_;  // of the piece that is being read
  std::deque<std::shared_ptr<Group>> groups_;
  uint64_t next_index_ = 0;
  bool begun_ = false, ended_ = false, throttled_ = false, draining_ = false;
  MonoNs throttled_until_ = 0;
};

}  // namespace

void accept_batch(Api& api, Call& call, http::Reply reply) {
  const auto format = format_of(call.request.content_type);
  if (!format)
    return reply.send(problem(problem_kinds::unsupported_media,
                              "send application/x-ndjson (a message a line) or application/json (an array)"));
  std::make_shared<Batch>(api, std::move(call.caller), *format, std::move(reply))->start();
}

}  // namespace godwit
