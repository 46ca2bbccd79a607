#include "broker/channels/services/kv_service.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "broker/channels/abi_text.hpp"

namespace godwit::channels {
namespace {

bool is_key(gw_str key) {
  return key.ptr && key.len > 0 && key.len <= GW_KV_MAX_KEY;
}

}  // namespace

KvService::KvService(ServiceHome home, Catalogue& catalogue, WorkerPool& storing)
    : home_(home), catalogue_(catalogue), order_(storing, home.clock, *this) {
  table_.size = sizeof table_;
  table_.ctx = this;
  table_.get = [](void* ctx, gw_str key, gw_kv_done done, void* arg) -> int32_t {
    if (!is_key(key) || !done) return GW_E_INVALID;
    return self(ctx).begin("kv get", done, arg, [key = std::string(from_gw(key))](KvService& s) { return s.get(key); });
  };
  table_.put = [](void* ctx, gw_str key, gw_str value, uint64_t expected, gw_kv_done done, void* arg) -> int32_t {
    if (!is_key(key) || value.len > GW_KV_MAX_VALUE || !done) return GW_E_INVALID;
    return self(ctx).begin("kv put", done, arg,
                           [key = std::string(from_gw(key)), value = std::string(from_gw(value)),
                            expected](KvService& s) { return s.put(key, value, expected); });
  };
  table_.remove = [](void* ctx, gw_str key, uint64_t expected, gw_kv_done done, void* arg) -> int32_t {
    if (!is_key(key) || !done) return GW_E_INVALID;
    return self(ctx).begin("kv remove", done, arg, [key = std::string(from_gw(key)), expected](KvService& s) {
      return s.remove(key, expected);
    });
  };
  table_.scan = [](void* ctx, gw_str prefix, gw_str after, uint32_t limit, gw_kv_done done, void* arg) -> int32_t {
    if (prefix.len > GW_KV_MAX_KEY || after.len > GW_KV_MAX_KEY || !done) return GW_E_INVALID;
    limit = limit == 0 ? 100 : std::min<uint32_t>(limit, 1000);
    return self(ctx).begin(
        "kv scan", done, arg,
        [prefix = std::string(from_gw(prefix)), after = std::string(from_gw(after)), from_start = !after.ptr,
         limit](KvService& s) { return s.scan(prefix, after, from_start, limit); });
  };
}

int32_t KvService::begin(const char* what, gw_kv_done done, void* arg, Callback<Outcome(KvService&)> work) {
  uint64_t id = 0;
  if (const int32_t status = calls_.add({done, arg}, id); status != GW_OK) return status;
  order_.post(what, [this, id, work = std::move(work)]() mutable {
    home_.lane.post("kv done", [this, id, outcome = work(*this)] {
      if (const std::optional<Call> call = calls_.take(id)) answer(*call, outcome);
    });
  });
  return GW_OK;
}

void KvService::answer(const Call& call, const Outcome& outcome) {
  std::vector<gw_kv_entry> entries(outcome.entries.size());
  std::vector<const gw_kv_entry*> pointers;
  for (size_t i = 0; i < entries.size(); ++i) {
    const Entry& from = outcome.entries[i];
    entries[i] = gw_kv_entry{sizeof(gw_kv_entry), 0, from.value.version, to_gw(from.key), to_gw(from.value.value)};
    pointers.push_back(&entries[i]);
  }
  const gw_kv_result result{sizeof result, outcome.status, pointers.data(), static_cast<uint32_t>(pointers.size()),
                            outcome.more ? 1u : 0u};
  guard([&] { call.done(call.arg, &result); });
}

// On a conflict the plugin is told what is there instead.
KvService::Outcome KvService::failed(const Error& error, const std::string& key) {
  switch (error.code) {
    case Code::not_found:
      return {GW_E_NOT_FOUND, {}, false};
    case Code::unknown:
      return {GW_E_TIMEOUT, {}, false};
    case Code::conflict: {
      Outcome outcome = get(key);
      outcome.status = GW_E_CONFLICT;
      return outcome;
    }
    default:
      spdlog::error("[{}] the plugin's key-value store failed: {}", home_.channel, error.message);
      return {GW_E_IO, {}, false};
  }
}

KvService::Outcome KvService::get(const std::string& key) {
  auto found = catalogue_.kv_get(home_.channel, key);
  if (!found) return {GW_E_IO, {}, false};
  if (!*found) return {GW_E_NOT_FOUND, {}, false};
  return {GW_OK, {{key, std::move(**found)}}, false};
}

KvService::Outcome KvService::put(const std::string& key, const std::string& value, uint64_t expected) {
  const Result<uint64_t> version = catalogue_.kv_put(home_.channel, key, value, expected);
  if (!version) return failed(version.error(), key);
  return {GW_OK, {{key, {{}, *version}}}, false};
}

KvService::Outcome KvService::remove(const std::string& key, uint64_t expected) {
  if (expected == Catalogue::kAnyVersion)  // nobody else writes this instance's keys, so looking first is exact
    if (Outcome there = get(key); there.status != GW_OK) return there;
  const Result<void> removed = catalogue_.kv_remove(home_.channel, key, expected);
  return removed ? Outcome{} : failed(removed.error(), key);
}

KvService::Outcome KvService::scan(const std::string& prefix, const std::string& after, bool from_start,
                                   uint32_t limit) {
  Outcome outcome;
  const Result<void> scanned =
      catalogue_.kv_scan(home_.channel, prefix, [&](std::string_view key, const Catalogue::Versioned& value) {
        if (!from_start && key <= after) return true;
        outcome.more = outcome.entries.size() == limit;
        if (!outcome.more) outcome.entries.push_back({std::string(key), value});
        return !outcome.more;
      });
  if (!scanned) return {GW_E_IO, {}, false};
  return outcome;
}

void KvService::close() {
  for (const Call& call : calls_.close()) answer(call, {GW_E_CLOSED, {}, false});
}

}  // namespace godwit::channels
