#include "broker/channels/services/blocking_service.hpp"

#include "broker/channels/abi_text.hpp"

namespace godwit::channels {

BlockingService::BlockingService(ServiceHome home, WorkerPool& pool) : home_(home), pool_(pool) {
  table_.size = sizeof table_;
  table_.ctx = this;
  table_.run = [](void* ctx, void (*fn)(void*), void (*done)(void*, int32_t), void* arg) {
    return static_cast<BlockingService*>(ctx)->run(fn, done, arg);
  };
}

int32_t BlockingService::run(void (*fn)(void*), void (*done)(void*, int32_t), void* arg) {
  if (!fn || !done) return GW_E_INVALID;
  uint64_t id;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return GW_E_CLOSED;
    if (jobs_.size() >= kLimit) return GW_E_BUSY;
    id = ++last_;
    jobs_.emplace(id, Job{fn, done, arg});
  }
  pool_.post([this, id] { work(id); });
  return GW_OK;
}

void BlockingService::work(uint64_t id) {
  Job job;
  {
    std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return;  // closed before it began
    found->second.stage = Job::Stage::running;
    job = found->second;
  }
  guard([&] { job.fn(job.arg); });
  {
    std::lock_guard lock(mutex_);
    jobs_.at(id).stage = Job::Stage::finished;
    stage_changed_.notify_all();
  }
  home_.lane.post("blocking done", [this, id] { finish(id); });
}

void BlockingService::finish(uint64_t id) {
  Job job;
  {
    std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return;  // close has answered it
    job = found->second;
    jobs_.erase(found);
  }
  guard([&] { job.done(job.arg, GW_OK); });
}

void BlockingService::close() {
  std::unordered_map<uint64_t, Job> rest;
  {
    std::unique_lock lock(mutex_);
    closed_ = true;
    for (auto it = jobs_.begin(); it != jobs_.end();)
      if (it->second.stage == Job::Stage::waiting) {
        rest.insert(*it);
        it = jobs_.erase(it);
      } else {
        ++it;
      }
    stage_changed_.wait(lock, [&] {
      for (const auto& [id, job] : jobs_)
        if (job.stage == Job::Stage::running) return false;
      return true;
    });
    rest.insert(jobs_.begin(), jobs_.end());
    jobs_.clear();
  }
  for (const auto& [id, job] : rest)
    guard([&] { job.done(job.arg, job.stage == Job::Stage::finished ? GW_OK : GW_E_CLOSED); });
}

}  // namespace godwit::channels
