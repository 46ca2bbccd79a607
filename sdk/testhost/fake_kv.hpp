// FakeKv is godwit.kv/1 in memory, with versions as a real one has. Any thread; answers come through the lane.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <godwit/ext/kv.h>

#include "sdk/testhost/fake_service.hpp"
#include "sdk/testhost/lane.hpp"

namespace godwit::testhost {

class FakeKv final : public FakeService {
 public:
  explicit FakeKv(Lane& lane);
  const void* table() const override { return &table_; }
  void close() override;

  std::map<std::string, std::string> contents() const;

 private:
  struct Row {
    std::string key, value;
    uint64_t version;
  };
  int32_t get(std::string key, gw_kv_done done, void* arg);
  int32_t write(std::string key, const std::string* value, uint64_t expected, gw_kv_done done, void* arg);
  int32_t scan(const std::string& prefix, const std::string& after, uint32_t limit, gw_kv_done done, void* arg);
  int32_t answer(int32_t status, std::vector<Row> rows, bool more, gw_kv_done done, void* arg);

  gw_kv table_;
  Lane& lane_;
  mutable std::mutex mutex_;  // guards all below
  std::map<std::string, Row> rows_;
  uint64_t last_version_ = 0;
  bool closed_ = false;
};

}  // namespace godwit::testhost
