// The small services of the test host: metrics are summed, blocking work runs on a thread of its own at the test's
// turn, and a credential is the text "app/device" or "app/device/generation".
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include <godwit/ext/blocking.h>
#include <godwit/ext/credential.h>
#include <godwit/ext/metrics.h>

#include "sdk/testhost/fake_service.hpp"
#include "sdk/testhost/lane.hpp"

namespace godwit::testhost {

class FakeMetrics final : public FakeService {
 public:
  FakeMetrics();
  const void* table() const override { return &table_; }
  // Counters and histograms: the sum; gauges: the last value. 0 if never touched.
  int64_t value(const std::string& name) const;

 private:
  gw_metrics table_;
  mutable std::mutex mutex_;  // guards all below
  std::map<std::string, uint64_t> ids_;
  std::map<uint64_t, int64_t> values_;
};

class FakeBlocking final : public FakeService {
 public:
  explicit FakeBlocking(Lane& lane);
  const void* table() const override { return &table_; }
  void close() override;
  void turn(uint64_t now_ns) override;

 private:
  struct Job {
    void (*fn)(void*);
    void (*done)(void*, int32_t);
    void* arg;
  };
  gw_blocking table_;
  Lane& lane_;
  std::mutex mutex_;  // guards all below
  std::deque<Job> jobs_;
  bool closed_ = false;
};

class FakeCredentials final : public FakeService {
 public:
  FakeCredentials();
  const void* table() const override { return &table_; }

 private:
  gw_credentials table_;
};

}  // namespace godwit::testhost
