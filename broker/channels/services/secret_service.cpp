#include "broker/channels/services/secret_service.hpp"

#include "broker/channels/abi_text.hpp"

namespace godwit::channels {

SecretService::SecretService(ServiceHome home, const SecretStore& store) : home_(home), store_(store) {
  table_.size = sizeof table_;
  table_.ctx = this;
  table_.get = [](void* ctx, gw_str name, gw_secret_fn done, void* arg) {
    uint64_t id;
    return static_cast<SecretService*>(ctx)->begin(name, done, arg, true, id);
  };
  table_.watch = [](void* ctx, gw_str name, gw_secret_fn changed, void* arg, uint64_t* id) -> int32_t {
    uint64_t given = 0;
    if (!id) return GW_E_INVALID;
    const int32_t status = static_cast<SecretService*>(ctx)->begin(name, changed, arg, false, given);
    if (status == GW_OK) *id = given;
    return status;
  };
  table_.unwatch = [](void* ctx, uint64_t id) {
    auto* s = static_cast<SecretService*>(ctx);
    s->home_.lane.post("secret unwatch", [s, id] {
      if (const std::optional<Call> call = s->calls_.take(id)) answer(*call, GW_E_CLOSED, {}, 0);
    });
  };
}

int32_t SecretService::begin(gw_str name, gw_secret_fn fn, void* arg, bool once, uint64_t& id) {
  if (!name.ptr || !fn) return GW_E_INVALID;
  const int32_t status = calls_.add({std::string(from_gw(name)), fn, arg, once}, id);
  if (status == GW_OK) home_.lane.post("secret", [this, number = id] { tell(number); });
  return status;
}

// On the lane. A watcher that has been told this version already is left in peace.
void SecretService::tell(uint64_t id) {
  std::optional<Call> call;
  if (!calls_.with(id, [&](Call& open) { call = open; })) return;
  if (call->once && !calls_.take(id)) return;
  const std::optional<SecretStore::Value> value = store_.get(call->name);
  if (!value) return answer(*call, GW_E_NOT_FOUND, {}, 0);
  if (call->told == value->version) return;
  calls_.with(id, [&](Call& open) { open.told = value->version; });
  answer(*call, GW_OK, value->bytes, value->version);
}

void SecretService::changed(std::string_view name) {
  calls_.for_each([&](uint64_t id, const Call& call) {
    if (!call.once && call.name == name) home_.lane.post("secret changed", [this, id] { tell(id); });
  });
}

void SecretService::answer(const Call& call, int32_t status, std::string_view value, uint64_t version) {
  guard([&] { call.fn(call.arg, status, status == GW_OK ? to_gw(value) : gw_str{nullptr, 0}, version); });
}

void SecretService::close() {
  for (const Call& call : calls_.close()) answer(call, GW_E_CLOSED, {}, 0);
}

}  // namespace godwit::channels
