#include "sdk/testhost/fake_kv.hpp"

#include <vector>

#include <godwit/text.hpp>

namespace godwit::testhost {
namespace {

FakeKv& self(void* ctx) {
  return *static_cast<FakeKv*>(ctx);
}
bool is_key(gw_str key) {
  return key.len > 0 && key.len <= GW_KV_MAX_KEY;
}

}  // namespace

FakeKv::FakeKv(Lane& lane) : lane_(lane) {
  table_ = {};
  table_.size = sizeof table_;
  table_.ctx = this;
  table_.get = [](void* ctx, gw_str key, gw_kv_done done, void* arg) -> int32_t {
    return is_key(key) ? self(ctx).get(std::string(view(key)), done, arg) : GW_E_INVALID;
  };
  table_.put = [](void* ctx, gw_str key, gw_str value, uint64_t expected, gw_kv_done done, void* arg) -> int32_t {
    if (!is_key(key) || value.len > GW_KV_MAX_VALUE) return GW_E_INVALID;
    std::string bytes(view(value));
    return self(ctx).write(std::string(view(key)), &bytes, expected, done, arg);
  };
  table_.remove = [](void* ctx, gw_str key, uint64_t expected, gw_kv_done done, void* arg) -> int32_t {
    return is_key(key) ? self(ctx).write(std::string(view(key)), nullptr, expected, done, arg) : GW_E_INVALID;
  };
  table_.scan = [](void* ctx, gw_str prefix, gw_str after, uint32_t limit, gw_kv_done done, void* arg) -> int32_t {
    return self(ctx).scan(std::string(view(prefix)), std::string(view(after)), limit ? limit : 100, done, arg);
  };
}

int32_t FakeKv::get(std::string key, gw_kv_done done, void* arg) {
  std::lock_guard lock(mutex_);
  auto it = rows_.find(key);
  if (it == rows_.end()) return answer(GW_E_NOT_FOUND, {}, false, done, arg);
  return answer(GW_OK, {it->second}, false, done, arg);
}

int32_t FakeKv::write(std::string key, const std::string* value, uint64_t expected, gw_kv_done done, void* arg) {
  std::lock_guard lock(mutex_);
  auto it = rows_.find(key);
  uint64_t present = it == rows_.end() ? 0 : it->second.version;
  if (expected != GW_KV_ANY && expected != present) {
    std::vector<Row> rows;
    if (present) rows.push_back(it->second);
    return answer(GW_E_CONFLICT, std::move(rows), false, done, arg);
  }
  if (!value && !present) return answer(GW_E_NOT_FOUND, {}, false, done, arg);
  if (!value) {
    rows_.erase(it);
    return answer(GW_OK, {}, false, done, arg);
  }
  Row row{key, *value, ++last_version_};
  rows_[key] = row;
  row.value.clear();
  return answer(GW_OK, {row}, false, done, arg);
}

int32_t FakeKv::scan(const std::string& prefix, const std::string& after, uint32_t limit, gw_kv_done done, void* arg) {
  std::lock_guard lock(mutex_);
  std::vector<Row> rows;
  auto it = after < prefix ? rows_.lower_bound(prefix) : rows_.upper_bound(after);
  for (; it != rows_.end(); ++it) {
    if (it->first.compare(0, prefix.size(), prefix) != 0) break;
    if (rows.size() == limit) return answer(GW_OK, std::move(rows), true, done, arg);
    rows.push_back(it->second);
  }
  return answer(GW_OK, std::move(rows), false, done, arg);
}

// REQUIRES: mutex_ held
int32_t FakeKv::answer(int32_t status, std::vector<Row> rows, bool more, gw_kv_done done, void* arg) {
  if (closed_) return GW_E_CLOSED;
  lane_.post([=, rows = std::move(rows)] {
    std::vector<gw_kv_entry> entries;
    std::vector<const gw_kv_entry*> list;
    for (const Row& r : rows) entries.push_back({sizeof(gw_kv_entry), 0, r.version, str(r.key), str(r.value)});
    for (const gw_kv_entry& e : entries) list.push_back(&e);
    gw_kv_result result{sizeof(gw_kv_result), status, list.data(), static_cast<uint32_t>(list.size()), more ? 1u : 0u};
    done(arg, &result);
  });
  return GW_OK;
}

void FakeKv::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;  // what is open is on the lane already
}

std::map<std::string, std::string> FakeKv::contents() const {
  std::lock_guard lock(mutex_);
  std::map<std::string, std::string> all;
  for (const auto& [key, row] : rows_) all[key] = row.value;
  return all;
}

}  // namespace godwit::testhost
