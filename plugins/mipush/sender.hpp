// Sender turns messages into calls: one call takes up to a thousand targets of one kind; each target is settled on its
// own. Different messages for one target each share a call when they are due at the same time. It paces the calls,
// takes a refused list apart to find the target that is to blame, and keeps away from message classes whose day is used
// up.
//
// Owned by the channel; lane only. Every message that is given to it is settled exactly once: by an answer, by its
// deadline, by `stop`, or (when a call may have left and nothing is known) as UNKNOWN.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <godwit/batch.hpp>
#include <godwit/event_queue.hpp>
#include <godwit/services/http.hpp>

#include "answer.hpp"
#include "config.hpp"
#include "notification.hpp"
#include "pacer.hpp"
#include "quotas.hpp"

namespace mipush {

class Sender {
 public:
  // `on_account_trouble`: the vendor refuses the account; nothing can be sent until an operator acts.
  Sender(godwit::Host host, const Config& config, const godwit::HttpPool& pool, godwit::EventQueue& events,
         std::function<void(const Answer&)> on_account_trouble);

  void use_secret(std::string_view app_secret) { authorization_ = "key=" + std::string(app_secret); }
  const std::string& authorization() const { return authorization_; }

  void take(godwit::Pending message);  // goes out with the next send()
  void send();
  void cancel(uint64_t ticket);  // what has not left is withdrawn
  void stop();                   // what waits for its pace is given back

  size_t waiting() const { return waiting_.size(); }
  uint64_t calls() const { return calls_; }
  const Pacer& pacer() const { return pacer_; }

  // The request of a call, for dry runs: without the secret.
  struct CallView {
    godwit::HttpRequest request;
    uint32_t first = 0, count = 0;
  };
  static godwit::Result<std::vector<CallView>> preview(const Config& config, const godwit::Message& message);

 private:
  struct Job {  // what is kept of a message beside its Pending
    godwit::Pending pending;
    uint64_t ticket, deadline_ns;
    uint32_t attempt, targets;
    Form form;  // without targets
    std::string channel_id;

    std::string_view name(uint32_t target) const;
  };
  struct Part {
    std::shared_ptr<Job> job;
    std::vector<uint32_t> targets;  // indices into the message's
  };
  struct Call {
    uint8_t kind = 0;
    std::vector<Part> parts;  // several: a merged call, one target each
    bool is_apart = false;    // the half of a refused call: joins no other

    bool is_merged() const { return parts.size() > 1; }
    const std::string& channel_id() const { return parts.front().job->channel_id; }  // of all parts
    uint64_t deadline_ns() const;
    size_t targets() const;
  };

  void add(uint8_t kind, std::vector<Part> parts);
  bool may_merge(const Call& call) const;
  void merge_waiting(Call& first);
  godwit::HttpRequest request_of(const Call& call) const;
  void leave(Call call);
  void on_reply(const Call& call, const godwit::HttpReply& reply);
  void on_answer(const Call& call, const Answer& answer);
  void take_apart(const Call& call);
  void settle_accepted(const Call& call, const Answer& answer);
  void note_quota(const Call& call, const Answer& answer);
  void settle(const Call& call, const godwit::Outcome& outcome);
  void settle(const Part& part, const godwit::Outcome& outcome);
  void tell_quota(const std::string& payload, bool of_the_app);

  godwit::Host host_;
  const Config& config_;
  const godwit::HttpPool& pool_;
  godwit::EventQueue& events_;
  const std::function<void(const Answer&)> on_account_trouble_;
  std::string authorization_;
  Quotas quotas_;
  Pacer pacer_;
  std::deque<Call> waiting_;
  bool is_timed_ = false;
  uint64_t calls_ = 0;
};

}  // namespace mipush
