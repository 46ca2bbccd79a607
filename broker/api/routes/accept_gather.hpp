// AcceptGather turns the single messages that many connections of one I/O thread bring in the same turn into one call
// of the broker: one durable step, one wake-up for all answers. Nobody waits for company: what is there when the turn
// ends goes out.
//
// Owned by one I/O thread; outlives every answer on its way through Api.
#pragma once

#include <memory>
#include <vector>

#include "broker/api/http/handler.hpp"
#include "broker/engine/broker.hpp"

namespace godwit {

struct Api;

class AcceptGather {
 public:
  explicit AcceptGather(const Api& api) : api_(api) {}
  void add(MessageDraft draft, http::Reply reply);

 private:
  void send(const std::shared_ptr<http::Home>& home);

  const Api& api_;
  std::vector<MessageDraft> drafts_;
  std::vector<http::Reply> replies_;
};

// The answer to one accepted or refused message.
http::Response accept_answer(const Result<AcceptAnswer>& result);

}  // namespace godwit
