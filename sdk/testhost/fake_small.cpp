#include "sdk/testhost/fake_small.hpp"

#include <charconv>
#include <cstring>
#include <thread>

#include <godwit/text.hpp>

namespace godwit::testhost {

FakeMetrics::FakeMetrics() {
  table_ = {};
  table_.size = sizeof table_;
  table_.ctx = this;
  table_.define = [](void* ctx, const gw_metric_spec* spec, uint64_t* metric) -> int32_t {
    auto& s = *static_cast<FakeMetrics*>(ctx);
    std::string name(view(spec->name));
    for (uint32_t i = 0; i < spec->label_pairs; ++i)
      name += "," + std::string(view(spec->labels[2 * i])) + "=" + std::string(view(spec->labels[2 * i + 1]));
    std::lock_guard lock(s.mutex_);
    *metric = s.ids_.try_emplace(name, s.ids_.size() + 1).first->second;
    return GW_OK;
  };
  table_.add = [](void* ctx, uint64_t metric, uint64_t n) {
    auto& s = *static_cast<FakeMetrics*>(ctx);
    std::lock_guard lock(s.mutex_);
    s.values_[metric] += static_cast<int64_t>(n);
  };
  table_.set = [](void* ctx, uint64_t metric, int64_t value) {
    auto& s = *static_cast<FakeMetrics*>(ctx);
    std::lock_guard lock(s.mutex_);
    s.values_[metric] = value;
  };
  table_.observe = table_.add;
}

int64_t FakeMetrics::value(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto id = ids_.find(name);
  if (id == ids_.end()) return 0;
  auto value = values_.find(id->second);
  return value == values_.end() ? 0 : value->second;
}

FakeBlocking::FakeBlocking(Lane& lane) : lane_(lane) {
  table_ = {};
  table_.size = sizeof table_;
  table_.ctx = this;
  table_.run = [](void* ctx, void (*fn)(void*), void (*done)(void*, int32_t), void* arg) -> int32_t {
    auto& s = *static_cast<FakeBlocking*>(ctx);
    std::lock_guard lock(s.mutex_);
    if (s.closed_) return GW_E_CLOSED;
    s.jobs_.push_back({fn, done, arg});
    s.lane_.post([&s] { s.turn(0); });
    return GW_OK;
  };
}

void FakeBlocking::turn(uint64_t) {
  std::deque<Job> jobs;
  {
    std::lock_guard lock(mutex_);
    jobs.swap(jobs_);
  }
  for (const Job& job : jobs) {
    std::thread([&job] { job.fn(job.arg); }).join();
    lane_.post([job] { job.done(job.arg, GW_OK); });
  }
}

void FakeBlocking::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  for (const Job& job : jobs_) lane_.post([job] { job.done(job.arg, GW_E_CLOSED); });
  jobs_.clear();
}

FakeCredentials::FakeCredentials() {
  table_ = {};
  table_.size = sizeof table_;
  table_.ctx = this;
  table_.verify = [](void*, gw_str text, gw_credential* out) -> int32_t {
    std::string_view credential = view(text);
    if (!out->buffer || out->buffer_size < credential.size() * 2 + 64) return GW_E_INVALID;
    std::memcpy(out->buffer, credential.data(), credential.size());
    std::string_view copy(out->buffer, credential.size());
    size_t slash = copy.find('/');
    if (slash == std::string_view::npos) {
      out->reason = str("not of the form app/device");
      return GW_E_DENIED;
    }
    size_t second = copy.find('/', slash + 1);
    out->app_id = str(copy.substr(0, slash));
    out->device_id = str(copy.substr(slash + 1, second == std::string_view::npos ? second : second - slash - 1));
    out->address = str(copy.substr(0, second));
    out->generation = 1;
    if (second != std::string_view::npos)
      std::from_chars(copy.data() + second + 1, copy.data() + copy.size(), out->generation);
    return GW_OK;
  };
}

}  // namespace godwit::testhost
