#include "broker/api/routes/dispatcher.hpp"

#include <algorithm>

#include "broker/api/parse/names.hpp"
#include "broker/api/routes/accept_gather.hpp"
#include "broker/base/nearest.hpp"

namespace godwit {
namespace {

using namespace problem_kinds;

http::Response unauthorized_answer(std::string_view detail) {
  http::Response out = problem(unauthorized, detail);
  out.headers.emplace_back("WWW-Authenticate", "Bearer");
  return out;
}

std::optional<std::string_view> bearer(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size() ||
      !http::equal_ignoring_case(authorization.substr(0, kScheme.size()), kScheme))
    return std::nullopt;
  return authorization.substr(kScheme.size());
}

std::string who_may(uint8_t who) {
  std::string out;
  const auto add = [&](uint8_t bit, std::string_view name) {
    if (who & bit) out += (out.empty() ? "" : " or ") + std::string(name);
  };
  add(kServer, "a server key");
  add(kClient, "a client key");
  add(kDevice, "the device's credential");
  add(kAdmin | kLoopback, "an admin key");
  return out;
}

uint8_t bit_of(Role role) {
  switch (role) {
    case Role::server:
      return kServer;
    case Role::client:
      return kClient;
    case Role::device:
      return kDevice;
    case Role::admin:
      return kAdmin | kLoopback;
    case Role::nobody:
      return 0;
  }
  return 0;
}

// What a path's segments must look like, by their names in the route.
void check_path_value(std::string_view name, const std::string& value, Faults& faults) {
  const auto demand = [&](bool fine, std::string_view rule) {
    if (!fine) faults.add_named("path:" + std::string(name), fault_codes::format, std::string(rule));
  };
  if (name == "device_id") demand(names::is_device_id(value), names::kDeviceIdRule);
  if (name == "user_id") demand(names::is_user_id(value), names::kUserIdRule);
  if (name == "topic") demand(names::is_topic(value), names::kTopicRule);
  if (name == "channel" || name == "name") demand(names::is_channel(value), names::kChannelRule);
}

// A request whose body and header must live until a device's credential has been checked.
struct Held {
  explicit Held(const http::Request& r) : request(r), body(r.body), content_type(r.content_type) {
    request.headers = {};
    request.method_text = http::to_string(request.method);
    request.path = request.query = request.authorization = request.idempotency_key = request.id = {};
    request.body = body;
    request.content_type = content_type;
    request.peer = nullptr;
  }
  http::Request request;
  const std::string body, content_type;
};

}  // namespace

const std::string& Call::path_value(std::string_view name) const {
  static const std::string none;
  for (const auto& [key, value] : path)
    if (key == name) return value;
  return none;
}

Dispatcher::Dispatcher(std::unique_ptr<Api> api, std::shared_ptr<const Keyring> keyring, unsigned threads)
    : api_(std::move(api)), index_(all_routes()), keyring_(std::move(keyring)) {
  for (const Route* route : all_routes())
    if (route->streams) streaming_.push_back(route);
  api_->keyring = [this] { return this->keyring(); };
  for (unsigned i = 0; i < threads; ++i) api_->gathers.push_back(std::make_unique<AcceptGather>(*api_));
}

Dispatcher::~Dispatcher() = default;

void Dispatcher::replace_keyring(std::shared_ptr<const Keyring> keyring) {
  std::lock_guard lock(mutex_);
  keyring_.swap(keyring);
}

std::shared_ptr<const Keyring> Dispatcher::keyring() const {
  std::lock_guard lock(mutex_);
  return keyring_;
}

bool Dispatcher::streams(const http::Request& request) const {
  return std::any_of(streaming_.begin(), streaming_.end(),
                     [&](const Route* r) { return r->method == request.method && r->path == request.path; });
}

void Dispatcher::on_request(const http::Request& request, http::Reply reply) {
  dispatch(request, std::move(reply));
}
void Dispatcher::on_stream(const http::Request& request, http::Reply reply) {
  dispatch(request, std::move(reply));
}

void Dispatcher::dispatch(const http::Request& request, http::Reply reply) {
  RouteIndex::Match match = index_.find(request.method, request.path);
  if (!match.route) {
    if (!match.path_known) return reply.send(problem(not_found, "there is no such path; see /openapi.json"));
    http::Response out;
    if (request.method == http::Method::options) {
      out.status = 204;
      out.content_type = {};
    } else {
      out = problem(method_not_allowed, "this path takes " + match.allow);
    }
    out.headers.emplace_back("Allow", std::move(match.allow));
    return reply.send(std::move(out));
  }

  Faults faults;
  // A vendor's query is the plugin's to read, as it came.
  Query query(match.route->who & kVendor ? std::string_view() : request.query, faults);
  auto authorized = authorize(*match.route, request, query);
  if (auto* refusal = std::get_if<Refusal>(&authorized)) return reply.send(std::move(*refusal));
  Call call{request, *match.route, std::get<Caller>(std::move(authorized)), {}, std::move(query), std::move(faults)};
  if (call.caller.quota) {
    const double wait = call.caller.quota->requests.take(1, api_->parts.clock.mono_ns());
    if (wait > 0) return reply.send(retry_later(too_many, "the app's requests_per_s are used up", wait));
  }
  for (const auto& [name, raw] : match.path) {
    auto value = percent_decode(raw, false);
    if (!value) call.faults.add_named("path:" + std::string(name), fault_codes::format, "a percent escape is broken");
    call.path.emplace_back(name, std::move(value).value_or(""));
  }
  check_parameters(call);
  if (!call.faults.empty()) return reply.send(call.faults.response());
  if (auto refusal = check_place(call)) return reply.send(std::move(*refusal));
  if (call.caller.role == Role::device) return check_generation_and_handle(std::move(call), std::move(reply));
  match.route->handle(*api_, call, std::move(reply));
}

std::variant<Caller, Dispatcher::Refusal> Dispatcher::authorize(const Route& route, const http::Request& request,
                                                                const Query& query) const {
  Caller caller;
  if (route.who & kVendor) return caller;
  // A proxy on this machine speaks for callers elsewhere.
  if (route.who & kLoopback && request.peer->ip.is_loopback() && !request.forwarded) return caller;

  const auto key = bearer(request.authorization);
  if (!key) return unauthorized_answer("send the header Authorization: Bearer KEY, with " + who_may(route.who));
  const std::shared_ptr<const Keyring> keys = keyring();
  const AppAccess* app = nullptr;
  if (key->starts_with("gwd1.")) {
    auto credential = api_->parts.signer.verify(*key, api_->now());
    if (!credential) return unauthorized_answer("the device credential is not valid: " + credential.error().message);
    app = keys->app(credential->app);
    if (!app) return unauthorized_answer("the device credential's app is not configured any more");
    caller.role = Role::device;
    caller.device_id = std::move(credential->device_id);
    caller.generation = credential->generation;
  } else {
    const Keyring::Grant grant = keys->find(*key);
    if (grant.role == Role::nobody)
      return unauthorized_answer("the key is not known; this call needs " + who_may(route.who));
    caller.role = grant.role;
    app = grant.app;
  }
  if (caller.role == Role::admin && route.who & kServer) {
    app = keys->app(query.text("app"));
    if (!app && query.has("app")) return problem(not_found, "there is no app of that name");
    if (!app && !(route.who & kAdmin)) return problem(forbidden, "an admin key must name the app here: add ?app=ID");
  } else if (!(bit_of(caller.role) & route.who)) {
    return problem(forbidden,
                   "this call needs " + who_may(route.who) + ", and this is " +
                       (caller.role == Role::device ? "a device's credential"
                                                    : "a key of kind " + std::string(to_string(caller.role))));
  }
  if (caller.role == Role::server && !app->admits(request.peer->ip))
    return problem(forbidden, "the app's allow_ips does not hold " + request.peer->ip.text());
  if (app) {
    caller.app = app->id;
    caller.quota = app->quota;
    caller.rules = app->rules;
  }
  return caller;
}

void Dispatcher::check_parameters(Call& call) {
  for (const auto& [name, value] : call.path) check_path_value(name, value, call.faults);
  for (const auto& [name, value] : call.query.all()) {
    const auto& known = call.route.query;
    const auto it = std::find_if(known.begin(), known.end(), [&](const Parameter& p) { return p.name == name; });
    if (it != known.end()) {
      if (!it->values.empty() && std::find(it->values.begin(), it->values.end(), value) == it->values.end()) {
        std::string detail = "must be one of";
        for (const auto choice : it->values) detail += " " + std::string(choice);
        call.faults.add_named("query:" + name, fault_codes::one_of, std::move(detail));
      }
      continue;
    }
    if (name == "app" && call.caller.role == Role::admin) continue;
    std::vector<std::string> names;
    for (const Parameter& p : known) names.emplace_back(p.name);
    call.faults.add_named("query:" + name, fault_codes::unknown,
                          "there is no such parameter" + did_you_mean(name, names));
  }
}

// "Right key, wrong place": a device's credential is for that device alone.
std::optional<Dispatcher::Refusal> Dispatcher::check_place(const Call& call) const {
  if (call.caller.role != Role::device) return std::nullopt;
  for (const auto& [name, value] : call.path)
    if (name == "device_id" && value != call.caller.device_id)
      return problem(forbidden, "this credential belongs to another device");
  return std::nullopt;
}

// A credential is good without a look-up; whether it was revoked, or its device deleted, only the registry knows.
void Dispatcher::check_generation_and_handle(Call call, http::Reply reply) const {
  auto held = std::make_shared<Held>(call.request);
  auto kept = std::make_shared<Call>(Call{held->request, call.route, std::move(call.caller), std::move(call.path),
                                          std::move(call.query), std::move(call.faults)});
  const std::shared_ptr<http::Home> home = reply.home();
  Api* api = api_.get();
  api->broker().get_device(
      kept->caller.app, kept->caller.device_id,
      [api, home, held, kept, reply = std::move(reply)](Result<Device> device) mutable {
        home->post([api, held, kept, reply = std::move(reply), device = std::move(device)]() mutable {
          if (!device.ok() && device.error().code != Code::not_found) return reply.send(problem(device.error()));
          if (!device.ok() || device->generation != kept->caller.generation)
            return reply.send(unauthorized_answer("the device credential was withdrawn; register the device again"));
          kept->route.handle(*api, *kept, std::move(reply));
        });
      });
}

}  // namespace godwit
