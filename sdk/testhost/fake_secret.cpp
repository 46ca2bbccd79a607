#include "sdk/testhost/fake_secret.hpp"

#include <utility>

#include <godwit/text.hpp>

namespace godwit::testhost {
namespace {

FakeSecret& self(void* ctx) {
  return *static_cast<FakeSecret*>(ctx);
}

}  // namespace

FakeSecret::FakeSecret(Lane& lane) : lane_(lane) {
  table_ = {};
  table_.size = sizeof table_;
  table_.ctx = this;
  table_.get = [](void* ctx, gw_str name, gw_secret_fn fn, void* arg) {
    return self(ctx).get(std::string(view(name)), fn, arg);
  };
  table_.watch = [](void* ctx, gw_str name, gw_secret_fn fn, void* arg, uint64_t* id) -> int32_t {
    FakeSecret& s = self(ctx);
    int32_t status = s.get(std::string(view(name)), fn, arg);
    if (status != GW_OK) return status;
    std::lock_guard lock(s.mutex_);
    *id = ++s.last_id_;
    s.watches_[*id] = {std::string(view(name)), fn, arg};
    return GW_OK;
  };
  table_.unwatch = [](void* ctx, uint64_t id) {
    FakeSecret& s = self(ctx);
    std::lock_guard lock(s.mutex_);
    if (auto watch = s.watches_.extract(id)) s.end(watch.mapped());
  };
}

int32_t FakeSecret::get(const std::string& name, gw_secret_fn fn, void* arg) {
  std::lock_guard lock(mutex_);
  if (closed_) return GW_E_CLOSED;
  tell(name, fn, arg);
  return GW_OK;
}

// REQUIRES: mutex_ held
void FakeSecret::tell(const std::string& name, gw_secret_fn fn, void* arg) {
  auto it = values_.find(name);
  bool found = it != values_.end() || has_fallback_;
  std::string value = it != values_.end() ? it->second : fallback_;
  lane_.post(
      [=, version = ++version_] { fn(arg, found ? GW_OK : GW_E_NOT_FOUND, found ? str(value) : gw_str{}, version); });
}

// REQUIRES: mutex_ held
void FakeSecret::end(const Watch& watch) {
  lane_.post([watch] { watch.fn(watch.arg, GW_E_CLOSED, gw_str{}, 0); });
}

void FakeSecret::set(const std::string& name, const std::string& value) {
  std::lock_guard lock(mutex_);
  values_[name] = value;
  for (const auto& [id, watch] : watches_)
    if (watch.name == name) tell(name, watch.fn, watch.arg);
}

void FakeSecret::remove(const std::string& name) {
  std::lock_guard lock(mutex_);
  values_.erase(name);
}

void FakeSecret::set_fallback(std::string value) {
  std::lock_guard lock(mutex_);
  fallback_ = std::move(value);
  has_fallback_ = true;
}

void FakeSecret::clear() {
  std::lock_guard lock(mutex_);
  values_.clear();
  has_fallback_ = false;
}

void FakeSecret::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& [id, watch] : watches_) end(watch);
  watches_.clear();
}

}  // namespace godwit::testhost
