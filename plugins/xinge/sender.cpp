#include "sender.hpp"

#include <algorithm>
#include <array>

namespace xinge {
namespace {

using godwit::HttpReply;
using godwit::Message;
using godwit::Outcome;
using godwit::Pending;

constexpr size_t kMostTargets = 1000;  // of token_list, account_list and their V2 forms
constexpr const char* kPush = "/v3/push/app";

// The targets by kind, in lists that a call takes; a tag is a call of its own. Empty names go to `refuse`.
template <class F, class R>
void each_call(const Message& message, F call, R refuse) {
  std::array<std::vector<uint32_t>, 3> lists;
  for (uint32_t i = 0; i < message.target_count(); ++i) {
    const Address address = address_of(message.target(i).address());
    if (address.name.empty()) {
      refuse(i);
      continue;
    }
    auto& list = lists[static_cast<size_t>(address.kind)];
    list.push_back(i);
    if (address.kind == Kind::tag || list.size() == kMostTargets) call(address.kind, std::exchange(list, {}));
  }
  for (size_t kind = 0; kind < lists.size(); ++kind)
    if (!lists[kind].empty()) call(static_cast<Kind>(kind), std::move(lists[kind]));
}

std::vector<std::string_view> names_of(const Message& message, const std::vector<uint32_t>& targets) {
  std::vector<std::string_view> names;
  names.reserve(targets.size());
  for (const uint32_t i : targets) names.push_back(address_of(message.target(i).address()).name);
  return names;
}

}  // namespace

void Sender::send(Pending pending) {
  const Message message = pending.message();
  auto said = said_of(config_, message);
  if (!said) return pending.settle(Outcome::rejected("too_large", said.error().message));
  const auto job = std::make_shared<Job>(
      Job{std::move(pending), message.deadline_mono_ns(), message.attempt(), message.target_count(), std::move(*said)});
  std::vector<Call> calls;
  std::vector<uint32_t> refused;
  each_call(
      message,
      [&](Kind kind, std::vector<uint32_t> targets) {
        calls.push_back({job, kind, std::move(targets)});
      },
      [&](uint32_t target) { refused.push_back(target); });
  for (const uint32_t target : refused) job->pending.settle(target, Outcome::target_invalid("malformed"));
  for (Call& call : calls) leave(std::move(call));
}

void Sender::leave(Call call) {
  if (config_.api == Api::v2) return leave_v2(std::move(call));
  godwit::HttpRequest request = signer_.json(
      kPush, body_for(config_, call.job->said, call.kind, names_of(call.job->pending.message(), call.targets)));
  transmit(std::move(call), std::move(request));
}

// A list is two calls: the message is stored, then named together with its targets. Nothing has been sent to anybody
// when the first one fails.
void Sender::leave_v2(Call call) {
  const auto second = [this](Call c, const std::string& push_id) {
    const V2Call v2 = v2_call(c.job->said, c.kind, names_of(c.job->pending.message(), c.targets), push_id);
    transmit(std::move(c), signer_.form(v2));
  };
  if (!v2_needs_push_id(call.kind, call.targets.size())) return second(std::move(call), {});
  godwit::HttpRequest request = signer_.form(v2_store(call.job->said));
  request.deadline_mono_ns = call.job->deadline_ns;
  pool_.send(request, [this, second, call = std::move(call)](const HttpReply& reply) mutable {
    if (!reply.is_answered()) return settle(call, Outcome::retry("not_stored", std::string(reply.error())));
    const Answer answer = read_answer(config_.api, reply.http_status(), reply.body(), reply.header("retry-after"));
    if (answer.verdict == Verdict::accepted && !answer.push_id.empty()) return second(std::move(call), answer.push_id);
    on_answer(call, answer);
  });
}

// The three-way truth: what surely did not leave is tried again, what may have left is unknown, an answer is read.
void Sender::transmit(Call call, godwit::HttpRequest request) {
  request.deadline_mono_ns = call.job->deadline_ns;
  pool_.send(request, [this, call = std::move(call)](const HttpReply& reply) mutable {
    if (reply.is_not_sent()) return settle(call, Outcome::retry("not_sent", std::string(reply.error())));
    if (!reply.is_answered()) return settle(call, Outcome::unknown(std::string(reply.error())));
    on_answer(call, read_answer(config_.api, reply.http_status(), reply.body(), reply.header("retry-after")));
  });
}

void Sender::on_answer(const Call& call, const Answer& answer) {
  const Circumstances now{.is_token = call.kind == Kind::token, .attempt = call.job->attempt};
  if (answer.verdict == Verdict::config) on_account_trouble_(answer);
  Pending& pending = call.job->pending;
  const bool is_list = call.targets.size() > 1;
  // Each target has its own code.
  if (is_list && answer.each.size() == call.targets.size() &&
      (answer.verdict == Verdict::accepted || answer.verdict == Verdict::look_inside)) {
    for (size_t i = 0; i < call.targets.size(); ++i) {
      Answer own = answer;
      own.code = answer.each[i];
      own.word = std::to_string(own.code);
      own.verdict = verdict_of(config_.api, own.code);
      pending.settle(call.targets[i], outcome_of(own, now));
    }
    return;
  }
  const bool blames_one = answer.verdict == Verdict::drop || answer.verdict == Verdict::drop_account ||
                          answer.verdict == Verdict::look_inside;
  if (blames_one && is_list) return take_apart(call);
  if (answer.verdict == Verdict::accepted) {
    statistics_.follow(answer.push_id, static_cast<uint32_t>(call.targets.size() - answer.invalid.size()));
    if (!answer.invalid.empty() && call.kind == Kind::token) {
      const Message message = pending.message();
      const std::vector<std::string_view> names = names_of(message, call.targets);
      std::vector<bool> is_dead;
      for (const std::string_view name : names)
        is_dead.push_back(std::find(answer.invalid.begin(), answer.invalid.end(), name) != answer.invalid.end());
      const Outcome dead = Outcome::target_invalid("invalid_targe_list"), taken = outcome_of(answer, now);
      for (size_t i = 0; i < call.targets.size(); ++i) pending.settle(call.targets[i], is_dead[i] ? dead : taken);
      return;
    }
  }
  settle(call, outcome_of(answer, now));
}

// "For lists send singly to find out": by halves, so that one bad token costs ten calls and not a thousand.
void Sender::take_apart(const Call& call) {
  const auto middle = call.targets.begin() + static_cast<ptrdiff_t>(call.targets.size() / 2);
  leave({call.job, call.kind, {call.targets.begin(), middle}});
  leave({call.job, call.kind, {middle, call.targets.end()}});
}

void Sender::settle(const Call& call, const Outcome& outcome) {
  Pending& pending = call.job->pending;
  if (call.targets.size() == call.job->targets) return pending.settle(outcome);
  for (const uint32_t i : call.targets) pending.settle(i, outcome);
}

godwit::Result<std::vector<Sender::CallView>> Sender::preview(const Config& config, const Message& message) {
  const auto said = said_of(config, message);
  if (!said) return said.error();
  std::vector<CallView> views;
  each_call(
      message,
      [&](Kind kind, std::vector<uint32_t> targets) {
        const auto names = names_of(message, targets);
        views.push_back({config.api == Api::v2
                             ? Signer::shown_form(config, v2_call(*said, kind, names, "(push_id)"))
                             : Signer::shown_json(config, kPush, body_for(config, *said, kind, names)),
                         targets.front(), static_cast<uint32_t>(targets.size())});
      },
      [](uint32_t) {});
  return views;
}

}  // namespace xinge
