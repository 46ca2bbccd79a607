// FakeSecret is godwit.secret/1 from a map that the test may change while the plugin runs. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include <godwit/ext/secret.h>

#include "sdk/testhost/fake_service.hpp"
#include "sdk/testhost/lane.hpp"

namespace godwit::testhost {

class FakeSecret final : public FakeService {
 public:
  explicit FakeSecret(Lane& lane);
  const void* table() const override { return &table_; }
  void close() override;

  // Watchers are told.
  void set(const std::string& name, const std::string& value);
  void remove(const std::string& name);
  // What a name without a value of its own gets; without a fallback it is not found.
  void set_fallback(std::string value);
  void clear();

 private:
  struct Watch {
    std::string name;
    gw_secret_fn fn;
    void* arg;
  };
  int32_t get(const std::string& name, gw_secret_fn fn, void* arg);
  void tell(const std::string& name, gw_secret_fn fn, void* arg);
  void end(const Watch& watch);

  gw_secret table_;
  Lane& lane_;
  std::mutex mutex_;  // guards all below
  std::map<std::string, std::string> values_;
  std::string fallback_;
  bool has_fallback_ = false;
  std::map<uint64_t, Watch> watches_;
  uint64_t last_id_ = 0, version_ = 0;
  bool closed_ = false;
};

}  // namespace godwit::testhost
