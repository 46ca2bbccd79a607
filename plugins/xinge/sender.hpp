// Sender turns messages into calls: one call takes up to a thousand targets of one kind; each target is settled on its
// own, by the answer's own list of the dead or by taking a refused list apart.
//
// Owned by the channel; lane only. Every message that is given to it is settled exactly once. Nothing waits here: what
// is with the sender is with the vendor.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <godwit/batch.hpp>
#include <godwit/services/http.hpp>

#include "answer.hpp"
#include "body.hpp"
#include "calls.hpp"
#include "statistics.hpp"

namespace xinge {

class Sender {
 public:
  Sender(godwit::Host host, const Config& config, const godwit::HttpPool& pool, const Signer& signer,
         Statistics& statistics, std::function<void(const Answer&)> on_account_trouble)
      : host_(host),
        config_(config),
        pool_(pool),
        signer_(signer),
        statistics_(statistics),
        on_account_trouble_(std::move(on_account_trouble)) {}

  void send(godwit::Pending message);

  struct CallView {
    godwit::HttpRequest request;
    uint32_t first = 0, count = 0;
  };
  static godwit::Result<std::vector<CallView>> preview(const Config& config, const godwit::Message& message);

 private:
  struct Job {  // what is kept of a message beside its Pending
    godwit::Pending pending;
    uint64_t deadline_ns;
    uint32_t attempt, targets;
    Said said;
  };
  struct Call {
    std::shared_ptr<Job> job;
    Kind kind = Kind::token;
    std::vector<uint32_t> targets;  // indices into the message's
  };

  void leave(Call call);
  void leave_v2(Call call);
  void transmit(Call call, godwit::HttpRequest request);
  void on_answer(const Call& call, const Answer& answer);
  void take_apart(const Call& call);
  void settle(const Call& call, const godwit::Outcome& outcome);

  godwit::Host host_;
  const Config& config_;
  const godwit::HttpPool& pool_;
  const Signer& signer_;
  Statistics& statistics_;
  const std::function<void(const Answer&)> on_account_trouble_;
};

}  // namespace xinge
