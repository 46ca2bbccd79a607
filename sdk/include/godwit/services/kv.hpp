// Kv: the durable little store of this instance (godwit.kv/1). Callbacks come exactly once, on the lane; a call that
// the host refuses calls back before it returns. Safe from any thread.
#pragma once

#include <string_view>
#include <utility>

#include <godwit/ext/kv.h>
#include <godwit/host.hpp>

namespace godwit {
inline namespace sdk {

// Valid during the callback.
class KvReply {
 public:
  explicit KvReply(const gw_kv_result* raw) : raw_(raw) {}
  bool ok() const { return raw_->status == GW_OK; }
  int32_t status() const { return raw_->status; }  // GW_E_NOT_FOUND, GW_E_CONFLICT, ...
  uint32_t size() const { return raw_->count; }
  bool has_more() const { return raw_->more; }
  // REQUIRES: i < size()
  std::string_view key(uint32_t i = 0) const { return view(raw_->entries[i]->key); }
  std::string_view value(uint32_t i = 0) const { return view(raw_->entries[i]->value); }
  uint64_t version(uint32_t i = 0) const { return raw_->entries[i]->version; }

 private:
  const gw_kv_result* raw_;
};

class Kv {
 public:
  explicit Kv(Host host) : instance_(host.instance()), table_(host.service<gw_kv>(GW_SERVICE_KV)) {}
  bool is_offered() const { return table_.get; }

  // `done(const KvReply&)` everywhere.
  template <class F>
  void get(std::string_view key, F&& done) const {
    run(std::forward<F>(done), [&](gw_kv_done fn, void* arg) { return table_.get(table_.ctx, str(key), fn, arg); });
  }
  template <class F>
  void put(std::string_view key, std::string_view value, F&& done, uint64_t expected_version = GW_KV_ANY) const {
    run(std::forward<F>(done), [&](gw_kv_done fn, void* arg) {
      return table_.put(table_.ctx, str(key), str(value), expected_version, fn, arg);
    });
  }
  template <class F>
  void remove(std::string_view key, F&& done, uint64_t expected_version = GW_KV_ANY) const {
    run(std::forward<F>(done),
        [&](gw_kv_done fn, void* arg) { return table_.remove(table_.ctx, str(key), expected_version, fn, arg); });
  }
  template <class F>
  void scan(std::string_view prefix, std::string_view after, uint32_t limit, F&& done) const {
    run(std::forward<F>(done), [&](gw_kv_done fn, void* arg) {
      return table_.scan(table_.ctx, str(prefix), str_or_absent(after), limit, fn, arg);
    });
  }

 private:
  template <class F, class Call>
  void run(F&& done, Call call) const {
    auto box = make_box(instance_, std::forward<F>(done));
    using B = typename decltype(box)::element_type;
    constexpr auto fn = [](void* arg, const gw_kv_result* r) { B::call_and_free("a kv callback", arg, KvReply(r)); };
    void* arg = box.get();
    int32_t status = is_offered() ? call(fn, arg) : GW_E_UNSUPPORTED;
    box.release();
    if (status == GW_OK) return;
    gw_kv_result refused{};
    refused.size = sizeof refused;
    refused.status = status;
    fn(arg, &refused);
  }

  Instance* instance_;
  gw_kv table_;
};

}  // namespace sdk
}  // namespace godwit
