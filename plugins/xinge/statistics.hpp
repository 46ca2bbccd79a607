// Statistics asks the vendor what became of pushes: there is no callback, and no answer names a device. What it tells
// (so many sent, so many arrived, for each phone maker) goes to the host as figures, which become rates of kind
// `vendor`.
//
// The vendor takes 200 questions an hour, so large pushes are asked for before small ones. Only TPNS answers
// this question; V2 and V3 stay with `accepted`. Lane only.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <godwit/event_queue.hpp>
#include <godwit/services/http.hpp>

#include "calls.hpp"
#include "config.hpp"

namespace xinge {

// Of one push through one of TPNS's own channels (xg, hw, xm, …) so far.
struct Figures {
  int64_t sent = 0, arrived = 0, clicked = 0;
};
// By channel name; `all` where the answer does not tell them apart. Empty: nothing usable.
std::map<std::string, Figures> figures_of(std::string_view body);
// The phones that one of TPNS's channels serves, as manufacturers are written here; empty when it serves many.
std::string_view manufacturer_of(std::string_view channel);

class Statistics {
 public:
  Statistics(godwit::Host host, const Config& config, const godwit::HttpPool& pool, const Signer& signer,
             godwit::EventQueue& events)
      : host_(host), config_(config), pool_(pool), signer_(signer), events_(events) {}

  void follow(const std::string& push_id, uint32_t targets);
  size_t followed() const { return pushes_.size(); }

 private:
  struct Push {
    uint32_t targets = 0;
    size_t asked = 0;  // times
    uint64_t sent_ns = 0, sent_wall_ms = 0;
    std::map<std::string, Figures> told;
  };
  void arm();
  void ask_due();
  void tell(const std::string& push_id, const Push& push, std::string_view channel, const Figures& more);
  uint64_t due_ns(const Push& push) const;

  godwit::Host host_;
  const Config& config_;
  const godwit::HttpPool& pool_;
  const Signer& signer_;
  godwit::EventQueue& events_;
  std::map<std::string, Push> pushes_;
  uint64_t next_question_ns_ = 0, armed_ns_ = 0;
};

}  // namespace xinge
