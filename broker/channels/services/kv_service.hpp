// godwit.kv/1 over the Catalogue. Calls of one instance are done in the order in which they came, on the storing pool.
#pragma once

#include <godwit/ext/kv.h>

#include "broker/channels/services/open_calls.hpp"
#include "broker/channels/services/service.hpp"
#include "broker/channels/worker_pool.hpp"
#include "broker/storage/catalogue.hpp"

namespace godwit::channels {

class KvService final : public Service, Lane::Owner {
 public:
  KvService(ServiceHome home, Catalogue& catalogue, WorkerPool& storing);
  const void* table() const override { return &table_; }
  void close() override;

 private:
  struct Entry {
    std::string key;
    Catalogue::Versioned value;
  };
  struct Outcome {
    int32_t status = GW_OK;
    std::vector<Entry> entries;
    bool more = false;
  };
  struct Call {
    gw_kv_done done;
    void* arg;
  };
  static KvService& self(void* ctx) { return *static_cast<KvService*>(ctx); }
  int32_t begin(const char* what, gw_kv_done done, void* arg, Callback<Outcome(KvService&)> work);
  static void answer(const Call& call, const Outcome& outcome);

  Outcome get(const std::string& key);
  Outcome put(const std::string& key, const std::string& value, uint64_t expected);
  Outcome remove(const std::string& key, uint64_t expected);
  Outcome scan(const std::string& prefix, const std::string& after, bool from_start, uint32_t limit);
  Outcome failed(const Error& error, const std::string& key);

  // The order of calls: a lane of its own on the storing pool, which nobody watches.
  void task_ended(const char*, MonoNs, bool) override {}
  void task_slow(const char*, MonoNs) override {}
  void task_hung(const char*, MonoNs) override {}
  void task_came_back(const char*, MonoNs) override {}

  const ServiceHome home_;
  Catalogue& catalogue_;
  gw_kv table_{};
  OpenCalls<Call> calls_{1024};
  Lane order_;
};

}  // namespace godwit::channels
