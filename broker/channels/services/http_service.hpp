// godwit.http/1 over the shared net::HttpClient. It adds what belongs to an instance: TLS identities by secret name,
// answers on the lane, and an end in which every open request is told the truth about itself.
//
// Answers come in batches, as the client reads them from a connection, and go to the lane as one task for many.
#pragma once

#include <godwit/ext/http.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "broker/channels/plugin_host.hpp"
#include "broker/channels/secret_store.hpp"
#include "broker/channels/services/open_calls.hpp"
#include "broker/channels/services/service.hpp"
#include "broker/net/http_client.hpp"

namespace godwit::channels {

class HttpService final : public Service {
 public:
  HttpService(ServiceHome home, net::HttpClient& client, const SecretStore& secrets);
  ~HttpService() override;  // waits for the client's last word, which comes when the pools are closed
  const void* table() const override { return &table_; }
  void close() override;

  void collect(const std::function<void(const MetricSample&)>& sink) const;  // of each pool; any thread

 private:
  struct Call {
    gw_http_done done;
    void* arg;
  };
  // What the client's thread may reach us by: a pool's callbacks may come until the client has obeyed its closing.
  struct Tether {
    std::mutex mutex;
    HttpService* service;  // guarded by mutex; null: gone
  };
  static HttpService& self(void* ctx) { return *static_cast<HttpService*>(ctx); }
  int32_t open_pool(const gw_http_pool_options& options, const gw_diag* diag, uint64_t& pool);
  void close_pool(uint64_t pool);
  bool owns(uint64_t pool);
  int32_t send(uint64_t pool, const gw_http_request& request, gw_http_done done, void* arg);
  void arrived(uint64_t id, net::HttpResponse response);
  void answer_arrived(size_t most, bool closing);  // [lane]
  static void answer(const Call& call, const net::HttpResponse& response, bool closing);

  const ServiceHome home_;
  net::HttpClient& client_;
  const SecretStore& secrets_;
  gw_http table_{};
  OpenCalls<Call> calls_{65'536};

  const std::shared_ptr<Tether> tether_;

  mutable std::mutex mutex_;
  std::condition_variable response_came_;
  std::map<uint64_t, std::string> pools_;  // guarded by mutex_: number and origin
  bool closing_ = false;                   // guarded by mutex_
  size_t outstanding_ = 0;                 // guarded by mutex_: the client will still call `arrived`
  std::vector<std::pair<uint64_t, net::HttpResponse>> arrived_;  // guarded by mutex_
  bool answering_ = false;                                       // guarded by mutex_: a task for them is on the lane
};

}  // namespace godwit::channels
