// godwit.secret/1 over the instance's SecretStore.
#pragma once

#include <godwit/ext/secret.h>

#include <string_view>

#include "broker/channels/secret_store.hpp"
#include "broker/channels/services/open_calls.hpp"
#include "broker/channels/services/service.hpp"

namespace godwit::channels {

class SecretService final : public Service {
 public:
  SecretService(ServiceHome home, const SecretStore& store);
  const void* table() const override { return &table_; }
  void close() override;

  // Any thread: the secret has a new value.
  void changed(std::string_view name);

 private:
  struct Call {
    std::string name;
    gw_secret_fn fn;
    void* arg;
    bool once;
    uint64_t told = 0;  // the version that the plugin knows
  };
  int32_t begin(gw_str name, gw_secret_fn fn, void* arg, bool once, uint64_t& id);
  void tell(uint64_t id);
  static void answer(const Call& call, int32_t status, std::string_view value, uint64_t version);

  const ServiceHome home_;
  const SecretStore& store_;
  gw_secret table_{};
  OpenCalls<Call> calls_{1024};
};

}  // namespace godwit::channels
