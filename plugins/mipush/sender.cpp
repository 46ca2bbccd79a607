#include "sender.hpp"

#include <algorithm>
#include <array>

#include "address.hpp"
#include "china_day.hpp"

namespace mipush {
namespace {

using godwit::Message;
using godwit::Outcome;
using godwit::Pending;

std::string body_of(const std::string& fields, const Message& message, uint8_t kind,
                    const std::vector<uint32_t>& targets) {
  std::string list;
  for (const uint32_t i : targets) {
    if (!list.empty()) list += ',';
    list += address_of(message.target(i).address()).name;
  }
  std::string body = fields;
  append_field(body, kAddressKinds[kind].field, list);
  return body;
}

godwit::HttpRequest request_of(uint8_t kind, std::string body, const std::string& authorization) {
  return {.path = std::string(kAddressKinds[kind].path),
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

void Sender::send(Pending pending) {
  const Message message = pending.message();
  const auto fields = fields_of(config_, message);
  if (!fields) return pending.settle(Outcome::rejected("too_large", fields.error().message));
  const std::string channel_id = fields->message_class ? fields->message_class->channel_id : std::string();
  if (quotas_.is_used_up(channel_id, host_.now_wall_ms()) && config_.classes.size() > 1)
    return pending.settle(Outcome::unreachable("200001"));
  const auto job =
      std::make_shared<Job>(Job{std::move(pending), message.ticket(), message.deadline_mono_ns(), message.attempt(),
                                message.target_count(), fields->form.encoded(), channel_id});
  std::vector<Call> calls;
  std::vector<uint32_t> refused;
  each_call(
      message,
      [&](uint8_t kind, std::vector<uint32_t> targets) {
        calls.push_back({job, kind, std::move(targets)});
      },
      [&](uint32_t target) { refused.push_back(target); });
  for (const uint32_t target : refused) job->pending.settle(target, Outcome::target_invalid("malformed"));
  for (Call& call : calls) submit(std::move(call));
}

void Sender::submit(Call call) {
  if (waiting_.empty() && pacer_.take(host_.now_mono_ns()) == 0) return leave(std::move(call));
  waiting_.push_back(std::move(call));
  if (!is_timed_) work_waiting();
}

void Sender::work_waiting() {
  is_timed_ = false;
  while (!waiting_.empty()) {
    const uint64_t now = host_.now_mono_ns();
    if (waiting_.front().job->deadline_ns <= now) {
      settle(waiting_.front(), Outcome::retry("paced_out", "it waited for its turn too long"));
      waiting_.pop_front();
      continue;
    }
    if (const uint64_t wait_ns = pacer_.take(now)) {
      is_timed_ = host_.after(wait_ns, [this] { work_waiting(); }) != 0;
      return;
    }
    Call call = std::move(waiting_.front());
    waiting_.pop_front();
    leave(std::move(call));
  }
}

void Sender::leave(Call call) {
  ++calls_;
  godwit::HttpRequest request = request_of(
      call.kind, body_of(call.job->fields, call.job->pending.message(), call.kind, call.targets), authorization_);
  request.deadline_mono_ns = call.job->deadline_ns;
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
                                                  {"channel_id", call.job->channel_id},
                                                  {"trace_id", answer.trace_id}});
  const bool blames_one = answer.verdict == Verdict::drop || answer.verdict == Verdict::drop_alias;
  if (blames_one && call.targets.size() > 1) return take_apart(call);
  if (answer.verdict == Verdict::accepted && !answer.bad_regids.empty()) {
    // Refused, and perhaps dead: the next channel takes over now; the token is dropped when a receipt of type 16 says
    // so.
    std::vector<uint32_t> good;
    for (const uint32_t i : call.targets) {
      const std::string_view name = address_of(call.job->pending.message().target(i).address()).name;
      if (std::find(answer.bad_regids.begin(), answer.bad_regids.end(), name) == answer.bad_regids.end())
        good.push_back(i);
      else
        call.job->pending.settle(i, Outcome::unreachable("badRegIds"));
      if (!call.job->pending.is_open()) return;
    }
    const Outcome accepted = outcome_of(answer, {});
    for (const uint32_t i : good) call.job->pending.settle(i, accepted);
    return;
  }
  settle(call, outcome_of(answer, {.is_alias = call.kind == kAlias,
                                   .attempt = call.job->attempt,
                                   .until_midnight_ms = next_midnight_ms(host_.now_wall_ms()) - host_.now_wall_ms(),
                                   .other_classes_remain = config_.classes.size() > 1}));
}

// One bad regid must not cost a thousand others: each half is asked again, until the guilty one stands alone.
void Sender::take_apart(const Call& call) {
  const auto middle = call.targets.begin() + static_cast<ptrdiff_t>(call.targets.size() / 2);
  submit({call.job, call.kind, {call.targets.begin(), middle}});
  submit({call.job, call.kind, {middle, call.targets.end()}});
}

void Sender::note_quota(const Call& call, const Answer& answer) {
  const uint64_t now = host_.now_wall_ms();
  const std::string& channel_id = call.job->channel_id;
  if (answer.verdict == Verdict::class_quota || answer.verdict == Verdict::day_quota) {
    if (const auto payload = quotas_.used_up(channel_id, answer.quota, now)) {
      host_.warn("the day quota is used up", {{"channel_id", channel_id}, {"reason", answer.reason}});
      tell_quota(*payload, answer.verdict == Verdict::day_quota);
    }
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
  Pending& pending = call.job->pending;
  if (call.targets.size() == call.job->targets) return pending.settle(outcome);
  for (const uint32_t i : call.targets) pending.settle(i, outcome);
}

void Sender::cancel(uint64_t ticket) {
  std::deque<Call> kept;
  for (Call& call : std::exchange(waiting_, {})) {
    if (call.job->ticket == ticket)
      settle(call, Outcome::cancelled());
    else
      kept.push_back(std::move(call));
  }
  waiting_ = std::move(kept);
}

void Sender::stop() {
  for (const Call& call : std::exchange(waiting_, {})) settle(call, Outcome::retry("stopping", "it had not left yet"));
}

godwit::Result<std::vector<Sender::CallView>> Sender::preview(const Config& config, const Message& message) {
  const auto fields = fields_of(config, message);
  if (!fields) return fields.error();
  const std::string encoded = fields->form.encoded();
  std::vector<CallView> views;
  each_call(
      message,
      [&](uint8_t kind, std::vector<uint32_t> targets) {
        views.push_back({request_of(kind, body_of(encoded, message, kind, targets), "***"), targets.front(),
                         static_cast<uint32_t>(targets.size())});
      },
      [](uint32_t) {});
  return views;
}

}  // namespace mipush
