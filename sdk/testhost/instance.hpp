// Instance drives one channel instance through its life as a correct host would: every call in order, on the lane, with
// the messages it handed out kept until their end. Destroying it stops and destroys what still lives.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sdk/testhost/parcel.hpp"
#include "sdk/testhost/test_host.hpp"

namespace godwit::testhost {

struct DiagLine {
  int32_t severity;
  std::string where, text;
};

// Collects what a call reports.
class DiagLog {
 public:
  DiagLog();
  DiagLog(const DiagLog&) = delete;
  const gw_diag* get() const { return &diag_; }
  const std::vector<DiagLine>& lines() const { return lines_; }
  std::string text() const;  // all of it in one line

 private:
  gw_diag diag_;
  std::vector<DiagLine> lines_;
};

enum class Guard {
  none,
  at_settle,    // a message's memory goes away inside the settle that ends it
  after_submit  // ... or, if that happened during submit, when submit returned
};

class Instance {
 public:
  explicit Instance(const gw_channel_type* type);
  ~Instance();

  TestHost& host() { return host_; }
  const gw_caps& caps() const { return caps_; }
  const gw_channel_ops& ops() const { return ops_; }
  bool lives() const { return self_ != nullptr; }
  const DiagLog& diag() const { return diag_; }  // of create and start
  void guard_memory(Guard guard) { guard_ = guard; }

  // ---- life ----
  int32_t create(const std::string& config);
  int32_t start();
  // Runs until READY or DEGRADED.
  bool wait_ready(uint64_t virtual_ns = 30'000'000'000);
  int32_t reconfigure(const std::string& config, DiagLog& diag);
  // Until the plugin said drained, or (without a drain function) everything is settled.
  bool drain(uint64_t virtual_ns = 30'000'000'000);
  void stop();
  void destroy();

  // ---- sending ----
  // Gives out one batch. The tickets are 1, 2, 3, ... in order over the instance's life.
  int32_t submit(const std::vector<ParcelSpec>& specs, uint64_t deadline_in_ns = 30'000'000'000);
  uint64_t last_ticket() const { return last_ticket_; }
  void cancel(uint64_t ticket);
  // Runs until nothing is open.
  bool wait_settled(uint64_t virtual_ns = 120'000'000'000);

  const void* extension(const char* id) const;
  void* self() const { return self_; }

 private:
  void ticket_done(uint64_t ticket);

  TestHost host_;
  const gw_channel_ops ops_;
  const gw_caps caps_;
  DiagLog diag_;
  void* self_ = nullptr;
  bool stopped_ = false;
  Guard guard_ = Guard::none;
  uint64_t last_ticket_ = 0;
  std::mutex mutex_;                                     // guards what follows: settle may come from any thread
  std::map<uint64_t, std::unique_ptr<Parcel>> parcels_;  // kept to the end, so that late reads are faults, not luck
  bool submitting_ = false;
  std::vector<uint64_t> done_in_submit_;
};

}  // namespace godwit::testhost
