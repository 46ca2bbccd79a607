// Call: a request that has found its route and whose caller is known. Api: what handlers stand on.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/api/api_server.hpp"
#include "broker/api/auth/keyring.hpp"
#include "broker/api/http/handler.hpp"
#include "broker/api/parse/parse_message.hpp"
#include "broker/api/parse/query.hpp"
#include "broker/api/problem.hpp"
#include "broker/api/routes/accept_gather.hpp"
#include "broker/api/routes/route.hpp"
#include "broker/engine/broker.hpp"

namespace godwit {

struct Caller {
  Role role = Role::nobody;
  std::string app;                        // empty: an admin who named none, or nobody
  std::shared_ptr<AppQuota> quota;        // null where `app` is empty
  std::shared_ptr<const AppRules> rules;  // the same
  std::string device_id;                  // of a device
  uint32_t generation = 0;                // of its credential
};

struct Call {
  const http::Request& request;  // its views live until the handler returns
  const Route& route;
  Caller caller;
  std::vector<std::pair<std::string_view, std::string>> path;  // by the names in the route's path, decoded
  Query query;
  Faults faults;  // for the handler to add to

  const std::string& path_value(std::string_view name) const;
};

// One for the server. Everything here is safe from any I/O thread.
struct Api {
  const ApiOptions options;
  const MessageRules rules;
  const ApiParts parts;
  std::string openapi;
  std::function<std::shared_ptr<const Keyring>()> keyring;
  std::vector<std::unique_ptr<AcceptGather>> gathers;  // one an I/O thread

  Broker& broker() const { return parts.broker; }
  WallMs now() const { return parts.clock.wall_ms(); }
};

// What `Broker` calls when it is done: brings the result home and gives it to `then(reply, value)`; an error is
// answered as its problem.
template <class T, class Then>
Done<T> bring(http::Reply reply, Then then) {
  return [reply = std::move(reply), then = std::move(then)](Result<T> result) mutable {
    const std::shared_ptr<http::Home> home = reply.home();
    home->post([reply = std::move(reply), then = std::move(then), result = std::move(result)]() mutable {
      if (!result.ok()) return reply.send(problem(result.error()));
      if constexpr (std::is_void_v<T>)
        then(std::move(reply));
      else
        then(std::move(reply), std::move(result).value());
    });
  };
}

inline http::Response json_answer(int status, std::string body) {
  http::Response out;
  out.status = status;
  out.body = std::move(body);
  return out;
}

}  // namespace godwit
