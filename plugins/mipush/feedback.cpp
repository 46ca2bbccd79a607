#include "feedback.hpp"

#include <algorithm>

#include "answer.hpp"
#include "china_day.hpp"

namespace mipush {
namespace {

constexpr size_t kFullPage = 1000;          // "up to 1000, removed once read"
constexpr uint64_t kNextPageMs = 1'000;     // more may be waiting
constexpr uint64_t kLeastPauseMs = 60'000;  // after 10030, 10032, 10039: pulled too often

}  // namespace

godwit::Result<void> Feedback::open() {
  if (config_.feedback_poll_s == 0) return {};
  auto pool = godwit::HttpPool::open(host_, {.origin = config_.feedback_origin,
                                             .ca_file = config_.ca_file,
                                             .max_connections = 1,
                                             .request_timeout_ms = config_.request_timeout_ms});
  if (!pool) return godwit::Error{pool.error().status, pool.error().message, "/feedback_origin"};
  pool_ = std::make_unique<godwit::HttpPool>(std::move(*pool));
  return {};
}

void Feedback::begin(const std::string& authorization) {
  authorization_ = authorization;
  if (!pool_ || is_begun_) return;
  is_begun_ = true;
  poll();
}

void Feedback::later(uint64_t delay_ms) {
  host_.after(delay_ms * 1'000'000, [this] { poll(); });
}

void Feedback::poll() {
  if (events_.size() > 0) return later(kNextPageMs);  // the host has not taken the last page yet
  pool_->send(
      {.method = "GET", .path = "/v1/feedback/fetch_invalid_regids", .headers = {{"authorization", authorization_}}},
      [this](const godwit::HttpReply& reply) { on_reply(reply); });
}

void Feedback::on_reply(const godwit::HttpReply& reply) {
  const uint64_t usual_ms = config_.feedback_poll_s * UINT64_C(1'000);
  if (!reply.is_answered()) return later(usual_ms);
  const Answer answer = read_answer(reply.http_status(), reply.body(), reply.header("retry-after"));
  if (answer.verdict != Verdict::accepted) {
    host_.debug("no invalid regids this time", {{"code", answer.word}, {"reason", answer.reason}});
    return later(std::max(usual_ms, answer.verdict == Verdict::retry ? usual_ms : kLeastPauseMs));
  }
  const std::string day = std::to_string(china_day(host_.now_wall_ms()));
  for (const std::string& regid : answer.list) {
    if (regid.empty()) continue;
    ++found_;
    const std::string event_id = "feedback/" + day + "/" + regid;
    events_.send(godwit::Event::token_invalid(regid, event_id));
  }
  later(answer.list.size() >= kFullPage ? kNextPageMs : usual_ms);
}

}  // namespace mipush
