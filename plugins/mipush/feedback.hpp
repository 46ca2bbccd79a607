// Feedback asks for regids that have died since the last time. Each is told once and then forgotten by the vendor, so
// the next page is only asked for when the host has taken the last one.
//
// The interface is declared off-line (callbacks of type 16 replace it), hence off unless configured. Lane only.
#pragma once

#include <memory>
#include <string>

#include <godwit/event_queue.hpp>
#include <godwit/services/http.hpp>

#include "config.hpp"

namespace mipush {

class Feedback {
 public:
  Feedback(godwit::Host host, const Config& config, godwit::EventQueue& events)
      : host_(host), config_(config), events_(events) {}

  // GW_OK also when it is not configured.
  godwit::Result<void> open();
  void begin(const std::string& authorization);  // again after a changed secret
  uint64_t found() const { return found_; }

 private:
  void later(uint64_t delay_ms);
  void poll();
  void on_reply(const godwit::HttpReply& reply);

  godwit::Host host_;
  const Config& config_;
  godwit::EventQueue& events_;
  std::unique_ptr<godwit::HttpPool> pool_;
  std::string authorization_;
  bool is_begun_ = false;
  uint64_t found_ = 0;
};

}  // namespace mipush
