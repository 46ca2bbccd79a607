#include "broker/api/routes/accept_gather.hpp"

#include "broker/api/json_writer.hpp"
#include "broker/api/routes/call.hpp"

namespace godwit {

void AcceptGather::add(MessageDraft draft, http::Reply reply) {
  drafts_.push_back(std::move(draft));
  replies_.push_back(std::move(reply));
  if (drafts_.size() > 1) return;
  const std::shared_ptr<http::Home> home = replies_.front().home();
  home->after_this_turn([this, home] { send(home); });
}

void AcceptGather::send(const std::shared_ptr<http::Home>& home) {
  auto replies = std::make_shared<std::vector<http::Reply>>(std::move(replies_));
  replies_.clear();
  api_.broker().accept(std::exchange(drafts_, {}), [home, replies](std::vector<Result<AcceptAnswer>> results) {
    home->post([replies, results = std::move(results)] {
      for (size_t i = 0; i < replies->size() && i < results.size(); ++i) (*replies)[i].send(accept_answer(results[i]));
    });
  });
}

http::Response accept_answer(const Result<AcceptAnswer>& result) {
  if (!result) return problem(result.error());
  http::Response out;
  out.status = 202;
  out.body.reserve(96);
  JsonWriter json(out.body);
  json.object().field("message_id", result->id.text()).field("status", to_string(result->state));
  json.key("recipients");
  if (result->recipients)
    json.value(*result->recipients);
  else
    json.null();  // a fan-out that is still counting
  json.end_object();
  if (result->repeated) out.headers.emplace_back("Idempotent-Replayed", "true");
  return out;
}

}  // namespace godwit
