// Channels: their state and the manual switch.
#include "broker/api/parse/parse_receipts.hpp"
#include "broker/api/routes/call.hpp"
#include "broker/api/views.hpp"

namespace godwit {
namespace {

void list(Api& api, Call&, http::Reply reply) {
  api.broker().list_channels(
      bring<std::vector<ChannelView>>(std::move(reply), [](http::Reply r, const std::vector<ChannelView>& channels) {
        std::string body;
        JsonWriter json(body);
        json.object().key("channels").array();
        for (const ChannelView& c : channels) write_channel(json, c);
        json.end_array().end_object();
        r.send(json_answer(200, std::move(body)));
      }));
}

// For the log, of what was done: a call that was refused changed nothing, and its caller knows why.
std::string by_whom(const Call& call) {
  return " by an admin key from " + call.request.peer->ip.text();
}

void set(Api& api, Call& call, http::Reply reply) {
  auto state = parse_channel_switch(call.request.body, api.rules.json_depth, call.faults);
  if (!state) return reply.send(call.faults.response());
  const std::string& name = call.path_value("name");
  std::string deed = "channel " + name + " was switched to " + *state + by_whom(call);
  api.broker().set_channel(
      name, *std::move(state),
      bring<ChannelView>(std::move(reply), [&api, deed](http::Reply r, const ChannelView& channel) {
        if (api.parts.log) api.parts.log(deed);
        std::string body;
        JsonWriter json(body);
        write_channel(json, channel);
        r.send(json_answer(200, std::move(body)));
      }));
}

void reload(Api& api, Call& call, http::Reply reply) {
  const std::string& name = call.path_value("name");
  std::string deed = "channel " + name + " was reloaded" + by_whom(call);
  api.broker().reload_channel(
      name, bring<ReloadReport>(std::move(reply), [&api, deed](http::Reply r, const ReloadReport& report) {
        if (api.parts.log) api.parts.log(deed);
        std::string body;
        JsonWriter json(body);
        write_reload(json, report);
        r.send(json_answer(200, std::move(body)));
      }));
}

}  // namespace

const std::vector<Route>& channel_routes() {
  using http::Method;
  static const std::vector<Route> routes{
      {.method = Method::get,
       .path = "/v1/channels",
       .who = kAdmin,
       .handle = list,
       .id = "listChannels",
       .tag = "Channels",
       .summary = "Every channel instance and its state",
       .description = "",
       .answers = {{200, "The channels", "ChannelList"}}},
      {.method = Method::patch,
       .path = "/v1/channels/{name}",
       .who = kAdmin,
       .handle = set,
       .id = "switchChannel",
       .tag = "Channels",
       .summary = "The manual switch of a channel",
       .description = "`draining` finishes what is in flight and takes nothing new; `disabled` stops at once. Messages "
                      "take their other channels. Acts within a second and survives a restart.",
       .body = {"ChannelSwitch"},
       .answers = {{200, "The channel as it is now", "Channel"}}},
      {.method = Method::post,
       .path = "/v1/channels/{name}/reload",
       .who = kAdmin,
       .handle = reload,
       .id = "reloadChannel",
       .tag = "Channels",
       .summary = "Put a fresh instance in a channel's place",
       .description = "Loads the plugin's file as it is now, with the settings that are in force (`SIGHUP` reads new "
                      "ones and reloads by itself). Nothing is lost and no connection refused: the fresh instance "
                      "takes over when it is ready, the old one finishes what it has. If a step fails, the old one "
                      "goes on and 409 names the step. Answers after the switch, within seconds as a rule.",
       .answers = {{200, "The fresh instance serves", "ChannelReload"},
                   {409, "The old instance goes on; `detail` names the step that failed", "Problem"}}},
  };
  return routes;
}

}  // namespace godwit
