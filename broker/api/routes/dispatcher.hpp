// Dispatcher takes a request from the connection to its handler: route, key, address, quota, parameters; then the
// handler. Everything that can be refused without the body is refused here, in one place.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <variant>

#include "broker/api/routes/call.hpp"
#include "broker/api/routes/route_index.hpp"

namespace godwit {

class Dispatcher final : public http::Handler {
 public:
  // `api.keyring` and `api.gathers` are set here.
  Dispatcher(std::unique_ptr<Api> api, std::shared_ptr<const Keyring> keyring, unsigned threads);
  ~Dispatcher() override;

  void on_request(const http::Request& request, http::Reply reply) override;
  bool streams(const http::Request& request) const override;
  void on_stream(const http::Request& request, http::Reply reply) override;

  void replace_keyring(std::shared_ptr<const Keyring> keyring);
  std::shared_ptr<const Keyring> keyring() const;
  const Api& api() const { return *api_; }

 private:
  using Refusal = http::Response;
  void dispatch(const http::Request& request, http::Reply reply);
  std::variant<Caller, Refusal> authorize(const Route& route, const http::Request& request, const Query& query) const;
  std::optional<Refusal> check_place(const Call& call) const;
  static void check_parameters(Call& call);
  void check_generation_and_handle(Call call, http::Reply reply) const;

  const std::unique_ptr<Api> api_;
  const RouteIndex index_;
  std::vector<const Route*> streaming_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Keyring> keyring_;  // mutex_
};

}  // namespace godwit
