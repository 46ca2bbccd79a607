#include "sender.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <unordered_set>

#include <godwit/json.hpp>

#include "address.hpp"
#include "china_day.hpp"

namespace mipush {
namespace {

using godwit::Json;
using godwit::Message;
using godwit::Outcome;
using godwit::Pending;

// As the documents number them; the rest are texts (pId 1559).
constexpr std::array<std::string_view, 4> kNumbers = {"pass_through", "notify_type", "notify_id", "time_to_live"};
constexpr std::string_view kExtra = "extra.";
// Of a merged call; the documents give no numbers of their own.
constexpr size_t kMostMerged = 1000, kMostMergedBytes = 1 << 20;
// A call ends with the first deadline among its messages: one that is nearly over would cut the others' answer off.
constexpr uint64_t kDeadlinesApartNs = 2'000'000'000;

// A message as multi_messages wants it: plain JSON fields, and all extras in an object without their prefix.
Json json_of(const Form& form) {
  Json message = Json::object();
  for (const auto& [name, value] : form.fields()) {
    if (name.starts_with(kExtra))
      message["extra"][name.substr(kExtra.size())] = value;
    else if (std::find(kNumbers.begin(), kNumbers.end(), name) != kNumbers.end())
      message[name] = std::strtoll(value.c_str(), nullptr, 10);
    else
      message[name] = value;
  }
  return message;
}

std::string body_of(const Form& form, const Message& message, uint8_t kind, const std::vector<uint32_t>& targets) {
  std::string list;
  for (const uint32_t i : targets) {
    if (!list.empty()) list += ',';
    list += address_of(message.target(i).address()).name;
  }
  std::string body = form.encoded();
  append_field(body, kAddressKinds[kind].field, list);
  return body;
}

godwit::HttpRequest post(std::string_view path, std::string body, const std::string& authorization) {
  return {.path = std::string(path),
          .headers = {{"authorization", authorization},
                      {"content-type", "application/x-www-form-urlencoded;charset=UTF-8"}},
          .body = std::move(body)};
}

// The targets of a message by kind, in lists that a call takes. What cannot stand in a list is given to `refuse`.
template <class F, class R>
void each_call(const Message& message, F call, R refuse) {
  std::array<std::vector<uint32_t>, kAddressKinds.size()> lists;
  for (uint32_t i = 0; i < message.target_count(); ++i) {
    const Address address = address_of(message.target(i).address());
    if (address.name.empty() || address.name.find(',') != std::string_view::npos) {
      refuse(i);
      continue;
    }
    auto& list = lists[address.kind];
    list.push_back(i);
    if (list.size() == kAddressKinds[address.kind].most) call(address.kind, std::exchange(list, {}));
  }
  for (uint8_t kind = 0; kind < lists.size(); ++kind)
    if (!lists[kind].empty()) call(kind, std::move(lists[kind]));
}

}  // namespace

Sender::Sender(godwit::Host host, const Config& config, const godwit::HttpPool& pool, godwit::EventQueue& events,
               std::function<void(const Answer&)> on_account_trouble)
    : host_(host),
      config_(config),
      pool_(pool),
      events_(events),
      on_account_trouble_(std::move(on_account_trouble)),
      pacer_(config.calls_per_s) {}

std::string_view Sender::Job::name(uint32_t target) const {
  return address_of(pending.message().target(target).address()).name;
}

uint64_t Sender::Call::deadline_ns() const {
  uint64_t first = UINT64_MAX;
  for (const Part& part : parts) first = std::min(first, part.job->deadline_ns);
  return first;
}

size_t Sender::Call::targets() const {
  size_t n = 0;
  for (const Part& part : parts) n += part.targets.size();
  return n;
}

void Sender::take(Pending pending) {
  const Message message = pending.message();
  auto fields = fields_of(config_, message);
  if (!fields)
    return pending.settle(Outcome::rejected("too_large", fields.error().where + ": " + fields.error().message));
  const std::string channel_id = fields->message_class ? fields->message_class->channel_id : std::string();
  if (quotas_.is_used_up(channel_id, host_.now_wall_ms()) && config_.classes.size() > 1)
    return pending.settle(Outcome::unreachable("200001"));
  const auto job =
      std::make_shared<Job>(Job{std::move(pending), message.ticket(), message.deadline_mono_ns(), message.attempt(),
                                message.target_count(), std::move(fields->form), channel_id});
  std::vector<uint32_t> refused;
  each_call(
      message,
      [&](uint8_t kind, std::vector<uint32_t> targets) {
        add(kind, {{job, std::move(targets)}});
      },
      [&](uint32_t target) { refused.push_back(target); });
  for (const uint32_t target : refused) job->pending.settle(target, Outcome::target_invalid("malformed"));
}

void Sender::add(uint8_t kind, std::vector<Part> parts) {
  waiting_.push_back({kind, std::move(parts)});
}

void Sender::send() {
  if (is_timed_) return;  // their turn comes
  while (!waiting_.empty()) {
    const uint64_t now = host_.now_mono_ns();
    if (waiting_.front().deadline_ns() <= now) {
      settle(waiting_.front(), Outcome::retry("paced_out", "it waited for its turn too long"));
      waiting_.pop_front();
      continue;
    }
    if (const uint64_t wait_ns = pacer_.take(now)) {
      is_timed_ = host_.after(wait_ns, [this] {
        is_timed_ = false;
        send();
      }) != 0;
      return;
    }
    Call call = std::move(waiting_.front());
    waiting_.pop_front();
    merge_waiting(call);
    leave(std::move(call));
  }
}

bool Sender::may_merge(const Call& call) const {
  return config_.merge_messages && !kAddressKinds[call.kind].merged_path.empty() && !call.is_apart &&
         call.targets() == 1;
}

// What waits behind a message for one target, and is of its kind and class, goes along. Never two messages for one
// target: by the call's id and the target is how a receipt names a message.
void Sender::merge_waiting(Call& first) {
  if (waiting_.empty() || !may_merge(first)) return;
  std::unordered_set<std::string_view> names;
  names.insert(first.parts[0].job->name(first.parts[0].targets[0]));
  const uint64_t now = host_.now_mono_ns(), until = first.deadline_ns();
  size_t bytes = first.parts[0].job->form.bytes();
  std::deque<Call> kept;
  for (Call& other : std::exchange(waiting_, {})) {
    const uint64_t its = other.deadline_ns();
    const bool is_alike = other.kind == first.kind && may_merge(other) && other.channel_id() == first.channel_id() &&
                          its > now && std::max(its, until) - std::min(its, until) <= kDeadlinesApartNs;
    const size_t more = is_alike ? other.parts[0].job->form.bytes() : 0;
    const bool joins = is_alike && first.parts.size() < kMostMerged && bytes + more <= kMostMergedBytes &&
                       names.insert(other.parts[0].job->name(other.parts[0].targets[0])).second;
    if (!joins) {
      kept.push_back(std::move(other));
      continue;
    }
    first.parts.push_back(std::move(other.parts[0]));
    bytes += more;
  }
  waiting_ = std::move(kept);
}

godwit::HttpRequest Sender::request_of(const Call& call) const {
  const Part& first = call.parts.front();
  if (!call.is_merged())
    return post(kAddressKinds[call.kind].path,
                body_of(first.job->form, first.job->pending.message(), call.kind, first.targets), authorization_);
  Json messages = Json::array();
  for (const Part& part : call.parts)
    messages.push_back({{"target", part.job->name(part.targets[0])}, {"message", json_of(part.job->form)}});
  std::string body;
  append_field(body, "messages", messages.dump(-1, ' ', false, Json::error_handler_t::replace));
  return post(kAddressKinds[call.kind].merged_path, std::move(body), authorization_);
}

void Sender::leave(Call call) {
  ++calls_;
  godwit::HttpRequest request = request_of(call);
  request.deadline_mono_ns = call.deadline_ns();
  pool_.send(request,
             [this, call = std::move(call)](const godwit::HttpReply& reply) mutable { on_reply(call, reply); });
}

// The three-way truth: what surely did not leave is tried again, what may have left is unknown, an answer is read.
void Sender::on_reply(const Call& call, const godwit::HttpReply& reply) {
  if (reply.is_not_sent()) return settle(call, Outcome::retry("not_sent", std::string(reply.error())));
  if (!reply.is_answered()) return settle(call, Outcome::unknown(std::string(reply.error())));
  on_answer(call, read_answer(reply.http_status(), reply.body(), reply.header("retry-after")));
}

void Sender::on_answer(const Call& call, const Answer& answer) {
  note_quota(call, answer);
  if (answer.verdict == Verdict::too_fast) pacer_.slow_down(host_.now_mono_ns());
  if (answer.verdict == Verdict::account) on_account_trouble_(answer);
  if (answer.verdict == Verdict::config || answer.verdict == Verdict::review)
    host_.warn("the vendor refuses this set-up", {{"code", answer.word},
                                                  {"meaning", meaning_of(answer.code)},
                                                  {"reason", answer.reason},
                                                  {"channel_id", call.channel_id()},
                                                  {"trace_id", answer.trace_id}});
  const bool blames_target = answer.verdict == Verdict::drop || answer.verdict == Verdict::drop_alias;
  if (blames_target && call.targets() > 1) return take_apart(call);
  const bool blames_message = answer.verdict == Verdict::fail || answer.verdict == Verdict::size ||
                              answer.verdict == Verdict::review || answer.verdict == Verdict::away;
  if (blames_message && call.is_merged()) return take_apart(call);
  if (answer.verdict == Verdict::accepted) return settle_accepted(call, answer);
  for (const Part& part : call.parts)
    settle(part, outcome_of(answer, {.is_alias = call.kind == kAlias,
                                     .attempt = part.job->attempt,
                                     .until_midnight_ms = next_midnight_ms(host_.now_wall_ms()) - host_.now_wall_ms(),
                                     .other_classes_remain = config_.classes.size() > 1}));
}

void Sender::settle_accepted(const Call& call, const Answer& answer) {
  if (const uint64_t refused = answer.exceeded_of(call.channel_id()); refused > 0) {
    // The class's day ended within this call. Which targets went out is not told, unless none did.
    const Outcome over =
        config_.classes.size() > 1
            ? Outcome::unreachable("200001")
            : Outcome::throttled(next_midnight_ms(host_.now_wall_ms()) - host_.now_wall_ms(), "200001");
    return settle(call, refused >= call.targets()
                            ? over
                            : Outcome::unknown("the class's quota ended within the call: " + answer.exceeded));
  }
  const Outcome accepted = outcome_of(answer, {});
  if (answer.bad_regids.empty()) return settle(call, accepted);
  // Refused, and perhaps dead: the next channel takes over now; the token is dropped when a receipt of type 16 says so.
  for (const Part& part : call.parts) {
    std::vector<uint32_t> good;
    for (const uint32_t i : part.targets) {
      const std::string_view name = part.job->name(i);
      if (std::find(answer.bad_regids.begin(), answer.bad_regids.end(), name) == answer.bad_regids.end())
        good.push_back(i);
      else
        part.job->pending.settle(i, Outcome::unreachable("badRegIds"));
      if (!part.job->pending.is_open()) break;
    }
    for (const uint32_t i : good) part.job->pending.settle(i, accepted);
  }
}

// One bad target, or one bad message, must not cost a thousand others: each half is asked again, until the guilty one
// stands alone.
void Sender::take_apart(const Call& call) {
  const auto halves = [this, &call](const auto& all, auto add_half) {
    const auto middle = all.begin() + static_cast<ptrdiff_t>(all.size() / 2);
    for (const auto& [from, to] : {std::pair(all.begin(), middle), std::pair(middle, all.end())}) {
      add_half(from, to);
      waiting_.back().is_apart = true;
    }
  };
  if (call.is_merged())
    halves(call.parts, [&](auto from, auto to) { add(call.kind, {from, to}); });
  else
    halves(call.parts[0].targets, [&](auto from, auto to) { add(call.kind, {{call.parts[0].job, {from, to}}}); });
  send();
}

void Sender::note_quota(const Call& call, const Answer& answer) {
  const uint64_t now = host_.now_wall_ms();
  const std::string& channel_id = call.channel_id();
  if (answer.verdict == Verdict::class_quota || answer.verdict == Verdict::day_quota) {
    if (const auto payload = quotas_.used_up(channel_id, answer.quota, now)) {
      host_.warn("the day quota is used up", {{"channel_id", channel_id}, {"reason", answer.reason}});
      tell_quota(*payload, answer.verdict == Verdict::day_quota);
    }
  } else if (answer.exceeded_of(channel_id) > 0) {
    if (const auto payload = quotas_.used_up(channel_id, std::nullopt, now)) tell_quota(*payload, false);
  } else if (answer.quota) {
    if (const auto payload = quotas_.heard(channel_id, *answer.quota, now)) tell_quota(*payload, false);
  }
}

// QUOTA makes the host spare the whole channel: the word about one class of several is only a notice.
void Sender::tell_quota(const std::string& payload, bool of_the_app) {
  godwit::Event event;
  event.kind = of_the_app || config_.classes.size() <= 1 ? GW_EVENT_QUOTA : GW_EVENT_NOTICE;
  event.payload = payload;
  events_.send(event);
}

void Sender::settle(const Call& call, const Outcome& outcome) {
  for (const Part& part : call.parts) settle(part, outcome);
}

void Sender::settle(const Part& part, const Outcome& outcome) {
  Pending& pending = part.job->pending;
  if (part.targets.size() == part.job->targets) return pending.settle(outcome);
  for (const uint32_t i : part.targets) pending.settle(i, outcome);
}

void Sender::cancel(uint64_t ticket) {
  for (Call& call : waiting_)
    std::erase_if(call.parts, [&](const Part& part) {
      if (part.job->ticket != ticket) return false;
      settle(part, Outcome::cancelled());
      return true;
    });
  std::erase_if(waiting_, [](const Call& call) { return call.parts.empty(); });
}

void Sender::stop() {
  for (const Call& call : std::exchange(waiting_, {})) settle(call, Outcome::retry("stopping", "it had not left yet"));
}

godwit::Result<std::vector<Sender::CallView>> Sender::preview(const Config& config, const Message& message) {
  const auto fields = fields_of(config, message);
  if (!fields) return fields.error();
  std::vector<CallView> views;
  each_call(
      message,
      [&](uint8_t kind, std::vector<uint32_t> targets) {
        views.push_back({post(kAddressKinds[kind].path, body_of(fields->form, message, kind, targets), "***"),
                         targets.front(), static_cast<uint32_t>(targets.size())});
      },
      [](uint32_t) {});
  return views;
}

}  // namespace mipush
