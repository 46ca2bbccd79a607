// godwit.credential/1: whose device credential is it? Pure; any thread.
#pragma once

#include <godwit/ext/credential.h>

#include <functional>
#include <string_view>

#include "broker/channels/plugin_host.hpp"
#include "broker/channels/services/service.hpp"

namespace godwit::channels {

class CredentialService final : public Service {
 public:
  using Verify = std::function<Result<KnownDevice>(std::string_view)>;
  explicit CredentialService(const Verify& verify);
  const void* table() const override { return &table_; }
  void close() override {}  // nothing is ever pending

 private:
  int32_t verify(std::string_view credential, gw_credential& out) const;
  const Verify& verify_;
  gw_credentials table_{};
};

}  // namespace godwit::channels
