// godwit.blocking/1: a plugin's own blocking work on a pool of the host.
#pragma once

#include <godwit/ext/blocking.h>

#include <condition_variable>
#include <mutex>
#include <unordered_map>

#include "broker/channels/services/service.hpp"
#include "broker/channels/worker_pool.hpp"

namespace godwit::channels {

class BlockingService final : public Service {
 public:
  BlockingService(ServiceHome home, WorkerPool& pool);
  const void* table() const override { return &table_; }
  // Work that has begun is waited for, as the contract says; the rest does not begin.
  void close() override;

 private:
  static constexpr size_t kLimit = 1024;
  struct Job {
    void (*fn)(void*);
    void (*done)(void*, int32_t);
    void* arg;
    enum class Stage { waiting, running, finished } stage = Stage::waiting;
  };
  int32_t run(void (*fn)(void*), void (*done)(void*, int32_t), void* arg);
  void work(uint64_t id);
  void finish(uint64_t id);

  const ServiceHome home_;
  WorkerPool& pool_;
  gw_blocking table_{};
  std::mutex mutex_;
  std::condition_variable stage_changed_;
  std::unordered_map<uint64_t, Job> jobs_;  // guarded by mutex_
  uint64_t last_ = 0;                       // guarded by mutex_
  bool closed_ = false;                     // guarded by mutex_
};

}  // namespace godwit::channels
