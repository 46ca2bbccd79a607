#include "broker/channels/services/credential_service.hpp"

#include <cstring>

#include "broker/channels/abi_text.hpp"

namespace godwit::channels {
namespace {

// Writes texts one after another into the caller's memory.
class TextBuffer {
 public:
  TextBuffer(char* at, size_t size) : at_(at), left_(size) {}
  bool put(std::string_view text, gw_str& out) {
    if (text.size() > left_) return false;
    std::memcpy(at_, text.data(), text.size());
    out = {at_, text.size()};
    at_ += text.size();
    left_ -= text.size();
    return true;
  }

 private:
  char* at_;
  size_t left_;
};

}  // namespace

CredentialService::CredentialService(const Verify& verify) : verify_(verify) {
  table_.size = sizeof table_;
  table_.ctx = this;
  table_.verify = [](void* ctx, gw_str credential, gw_credential* out) -> int32_t {
    if (!out || !GW_HAS(out, reason) || !out->buffer) return GW_E_INVALID;
    int32_t status = GW_E_INTERNAL;
    guard([&] { status = static_cast<CredentialService*>(ctx)->verify(from_gw(credential), *out); });
    return status;
  };
}

int32_t CredentialService::verify(std::string_view credential, gw_credential& out) const {
  TextBuffer buffer(out.buffer, out.buffer_size);
  const Result<KnownDevice> known = verify_(credential);
  if (!known) return buffer.put(known.error().message.substr(0, 200), out.reason) ? GW_E_DENIED : GW_E_INVALID;
  const std::string address =
      known->app + "/" + known->device_id;  // as ParcelTarget.address of a channel without tokens
  if (!buffer.put(known->app, out.app_id) || !buffer.put(known->device_id, out.device_id) ||
      !buffer.put(address, out.address))
    return GW_E_INVALID;
  out.generation = known->generation;
  out.expires_wall_ms = static_cast<uint64_t>(known->expires_ms);
  return GW_OK;
}

}  // namespace godwit::channels
