#include "broker/api/api_server.hpp"

#include "broker/api/http/http_server.hpp"
#include "broker/api/openapi/document.hpp"
#include "broker/api/routes/dispatcher.hpp"

namespace godwit {

struct ApiServer::Impl {
  std::shared_ptr<Dispatcher> dispatcher;
  std::unique_ptr<http::HttpServer> server;
};

Result<std::unique_ptr<ApiServer>> ApiServer::start(ApiOptions options, ApiParts parts) {
  auto keyring = Keyring::build(options.keys, nullptr);
  if (!keyring) return std::move(keyring).error();
  http::HttpServer::Setup setup{options.listen, std::max(1u, options.threads), options.limits};
  const unsigned threads = setup.threads;
  const Clock& clock = parts.clock;
  const MessageRules rules = MessageRules::from(options);
  std::unique_ptr<Api> api(new Api{std::move(options), rules, std::move(parts), openapi_document(), {}, {}});
  auto impl = std::make_unique<Impl>();
  impl->dispatcher = std::make_shared<Dispatcher>(std::move(api), *std::move(keyring), threads);
  auto server = http::HttpServer::start(std::move(setup), impl->dispatcher, clock);
  if (!server) return std::move(server).error();
  impl->server = *std::move(server);
  return std::unique_ptr<ApiServer>(new ApiServer(std::move(impl)));
}

ApiServer::ApiServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiServer::~ApiServer() = default;

Result<void> ApiServer::reload(const ApiKeys& keys) {
  const auto before = impl_->dispatcher->keyring();
  auto keyring = Keyring::build(keys, before.get());
  if (!keyring) return std::move(keyring).error();
  impl_->dispatcher->replace_keyring(*std::move(keyring));
  return {};
}

void ApiServer::drain() {
  impl_->server->drain();
}
bool ApiServer::wait_drained(std::chrono::milliseconds limit) {
  return impl_->server->wait_drained(limit);
}
std::vector<uint16_t> ApiServer::ports() const {
  return impl_->server->ports();
}
ApiStats ApiServer::stats() const {
  return impl_->server->stats();
}
const std::string& ApiServer::openapi() const {
  return impl_->dispatcher->api().openapi;
}

Result<void> check_api_keys(const ApiKeys& keys) {
  auto keyring = Keyring::build(keys, nullptr);
  if (!keyring) return std::move(keyring).error();
  return {};
}

}  // namespace godwit
