// Credentials of devices, checked without a look-up (godwit.credential/1). Safe from any thread, microseconds.
#pragma once

#include <string>
#include <string_view>

#include <godwit/ext/credential.h>
#include <godwit/host.hpp>

namespace godwit {
inline namespace sdk {

struct Credential {
  std::string app_id;
  std::string device_id;
  std::string address;  // of this device on a gateway channel
  uint64_t generation = 0;
  uint64_t expires_wall_ms = 0;  // 0 = never
};

class Credentials {
 public:
  explicit Credentials(Host host) : table_(host.service<gw_credentials>(GW_SERVICE_CREDENTIAL)) {}
  bool is_offered() const { return table_.verify; }

  // GW_E_DENIED with the reason, for logs; never tell it to the device.
  Result<Credential> verify(std::string_view credential) const {
    if (!is_offered()) return Error{GW_E_UNSUPPORTED, "this host does not offer " GW_SERVICE_CREDENTIAL, ""};
    char buffer[GW_CREDENTIAL_BUFFER];
    gw_credential raw{};
    raw.size = sizeof raw;
    raw.buffer = buffer;
    raw.buffer_size = sizeof buffer;
    int32_t status = table_.verify(table_.ctx, str(credential), &raw);
    if (status != GW_OK) return Error{status, std::string(view(raw.reason)), ""};
    return Credential{std::string(view(raw.app_id)), std::string(view(raw.device_id)), std::string(view(raw.address)),
                      raw.generation, raw.expires_wall_ms};
  }

 private:
  gw_credentials table_;
};

}  // namespace sdk
}  // namespace godwit
