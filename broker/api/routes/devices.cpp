// Devices: registration, state, listings.

#include "broker/api/parse/parse_device.hpp"
#include "broker/api/routes/call.hpp"
#include "broker/api/views.hpp"
#include "broker/base/nearest.hpp"

namespace godwit {
namespace {

constexpr int64_t kMostPerPage = 1000, kPerPage = 100;

// A token for a channel that this broker does not have is kept, because it may get it; but most often the name is
// wrong.
void write_warnings(JsonWriter& json, const Device& device, const AppRules& rules) {
  std::vector<std::string> warnings;
  for (const DeviceChannel& c : device.channels)
    if (!rules.may_use(c.channel))
      warnings.push_back("/channels/" + c.channel + ": the app has no such channel now" +
                         did_you_mean(c.channel, rules.channels) + "; nothing is sent there");
  if (warnings.empty()) return;
  json.key("warnings").array();
  for (const std::string& warning : warnings) json.value(warning);
  json.end_array();
}

// A client learns how to reach the long connection; whose tokens moved is for servers only.
http::Response registered(const Api& api, const Caller& caller, const DeviceAnswer& answer) {
  http::Response out;
  out.status = answer.created ? 201 : 200;
  JsonWriter json(out.body);
  json.object();
  write_device_members(json, answer.device);
  write_warnings(json, answer.device, *caller.rules);
  if (caller.role == Role::client) {
    Credential credential;
    credential.app = answer.device.app;
    credential.device_id = answer.device.id;
    credential.generation = answer.device.generation;
    credential.expires_ms = api.now() + api.options.credential_life_ms;
    json.field("credential", api.parts.signer.sign(credential));
    json.key("connect").array();
    for (const std::string& url : api.options.connect_urls) json.value(url);
    json.end_array();
    out.headers.emplace_back("Cache-Control", "no-store");
  } else if (!answer.moved_from.empty()) {
    json.key("moved_from").array();
    for (const auto& [channel, device] : answer.moved_from)
      json.object().field("channel", channel).field("device_id", device).end_object();
    json.end_array();
  }
  json.end_object();
  if (answer.created) out.headers.emplace_back("Location", "/v1/devices/" + answer.device.id);
  return out;
}

void put(Api& api, Call& call, http::Reply reply) {
  auto device = parse_device(call.request.body, api.rules.json_depth, call.faults);
  if (!device) return reply.send(call.faults.response());
  device->app = call.caller.app;
  device->id = call.path_value("device_id");  // empty for POST: the broker makes one
  api.broker().put_device(
      *std::move(device),
      bring<DeviceAnswer>(std::move(reply), [&api, caller = call.caller](http::Reply r, const DeviceAnswer& answer) {
        r.send(registered(api, caller, answer));
      }));
}

void send_device(http::Reply reply, const Device& device) {
  std::string body;
  JsonWriter json(body);
  write_device(json, device);
  reply.send(json_answer(200, std::move(body)));
}

void get(Api& api, Call& call, http::Reply reply) {
  api.broker().get_device(call.caller.app, call.path_value("device_id"), bring<Device>(std::move(reply), send_device));
}

void patch(Api& api, Call& call, http::Reply reply) {
  auto edit = parse_device_patch(call.request.body, api.rules.json_depth, call.faults);
  if (!edit) return reply.send(call.faults.response());
  api.broker().patch_device(
      call.caller.app, call.path_value("device_id"),
      [edit = *std::move(edit)](Device& device) { return apply(edit, device); },
      bring<DeviceAnswer>(std::move(reply),
                          [](http::Reply r, const DeviceAnswer& a) { send_device(std::move(r), a.device); }));
}

void remove(Api& api, Call& call, http::Reply reply) {
  api.broker().delete_device(call.caller.app, call.path_value("device_id"),
                             bring<Device>(std::move(reply), send_device));
}

void write_devices(JsonWriter& json, const std::vector<Device>& devices) {
  json.key("devices").array();
  for (const Device& device : devices) write_device(json, device);
  json.end_array();
}

void of_user(Api& api, Call& call, http::Reply reply) {
  api.broker().user_devices(
      call.caller.app, call.path_value("user_id"),
      bring<std::vector<Device>>(
          std::move(reply), [user = call.path_value("user_id")](http::Reply r, const std::vector<Device>& devices) {
            std::string body;
            JsonWriter json(body);
            json.object().field("user_id", user);
            write_devices(json, devices);
            json.end_object();
            r.send(json_answer(200, std::move(body)));
          }));
}

void list(Api& api, Call& call, http::Reply reply) {
  const auto limit = call.query.integer("limit", kPerPage, 1, kMostPerPage, call.faults);
  if (!call.faults.empty()) return reply.send(call.faults.response());
  api.broker().list_devices(call.caller.app, std::string(call.query.text("page")), static_cast<unsigned>(limit),
                            bring<Broker::DeviceList>(std::move(reply), [](http::Reply r, const Broker::DeviceList& l) {
                              std::string body;
                              JsonWriter json(body);
                              json.object();
                              write_devices(json, l.devices);
                              json.optional_field("next_page", l.next_page).end_object();
                              r.send(json_answer(200, std::move(body)));
                            }));
}

void route(Api& api, Call& call, http::Reply reply) {
  const Priority priority = priority_from(call.query.text("priority")).value_or(Priority::normal);
  api.broker().route(call.caller.app, call.path_value("device_id"), priority,
                     bring<RouteView>(std::move(reply), [](http::Reply r, const RouteView& view) {
                       std::string body;
                       JsonWriter json(body);
                       write_route(json, view);
                       r.send(json_answer(200, std::move(body)));
                     }));
}

}  // namespace

const std::vector<Route>& device_routes() {
  using http::Method;
  static const std::vector<Route> routes{
      {.method = Method::post,
       .path = "/v1/devices",
       .who = kClient | kServer,
       .handle = put,
       .id = "createDevice",
       .tag = "Devices",
       .summary = "Register a device under an id that the broker makes",
       .description =
           "For apps that have no id of their own. Keep the answered `device_id`; it is the device's name in "
           "every other call and its client id on the long connection.",
       .body = {"DeviceState"},
       .answers = {{201, "The device, and for a client key its credential", "RegisteredDevice"}}},
      {.method = Method::get,
       .path = "/v1/devices",
       .who = kServer,
       .handle = list,
       .id = "listDevices",
       .tag = "Devices",
       .summary = "All devices of the app, page by page",
       .description = "",
       .query = {{"page", "string", "`next_page` of the answer before", ""},
                 {"limit", "integer", "Devices a page, 1 to 1000; 100 when left out", "100"}},
       .answers = {{200, "A page of devices", "DeviceList"}}},
      {.method = Method::put,
       .path = "/v1/devices/{device_id}",
       .who = kClient | kServer,
       .handle = put,
       .id = "putDevice",
       .tag = "Devices",
       .summary = "Register a device or replace its state in full",
       .description =
           "What the body leaves out is forgotten. A token that another device of the app holds moves here; a server "
           "key is told from where. Whoever holds a client key can register any id, so ids should not be guessable.",
       .body = {"DeviceState"},
       .answers = {{200, "Replaced", "RegisteredDevice"}, {201, "New", "RegisteredDevice"}}},
      {.method = Method::get,
       .path = "/v1/devices/{device_id}",
       .who = kServer | kDevice,
       .handle = get,
       .id = "getDevice",
       .tag = "Devices",
       .summary = "A device's state",
       .description = "",
       .answers = {{200, "The device", "Device"}}},
      {.method = Method::patch,
       .path = "/v1/devices/{device_id}",
       .who = kServer | kDevice,
       .handle = patch,
       .id = "patchDevice",
       .tag = "Devices",
       .summary = "Change a part of a device's state",
       .description = "A merge patch (RFC 7396): what is left out stays, null removes. `tags` is replaced as a whole.",
       .body = {"DevicePatch", "application/merge-patch+json", "DevicePatch", "application/json"},
       .answers = {{200, "The device as it is now", "Device"}}},
      {.method = Method::del,
       .path = "/v1/devices/{device_id}",
       .who = kServer | kDevice,
       .handle = remove,
       .id = "deleteDevice",
       .tag = "Devices",
       .summary = "Forget a device",
       .description = "Its credential is refused from then on; what was on its way to it is given up.",
       .answers = {{200, "The device as it was", "Device"}}},
      {.method = Method::get,
       .path = "/v1/devices/{device_id}/route",
       .who = kServer,
       .handle = route,
       .id = "getDeviceRoute",
       .tag = "Routing",
       .summary = "How a message would go to this device right now, and why",
       .description = "The ranking of the device's channels with the numbers behind it. Nothing is sent.",
       .query = {{"priority",
                  "string",
                  "The message's priority; normal when left out",
                  "high",
                  {"critical", "high", "normal", "low"}}},
       .answers = {{200, "The decision and all candidates, best first", "RouteView"}}},
      {.method = Method::get,
       .path = "/v1/users/{user_id}/devices",
       .who = kServer,
       .handle = of_user,
       .id = "listUserDevices",
       .tag = "Devices",
       .summary = "A user's devices",
       .description = "From the ids of your users to the ids of their devices.",
       .answers = {{200, "The devices, none for an unknown user", "UserDevices"}}},
  };
  return routes;
}

}  // namespace godwit
