// Topics: names that devices subscribe to.
#include "broker/api/routes/call.hpp"
#include "broker/api/views.hpp"

namespace godwit {
namespace {

void list(Api& api, Call& call, http::Reply reply) {
  api.broker().list_topics(call.caller.app,
                           bring<std::vector<Broker::TopicInfo>>(
                               std::move(reply), [](http::Reply r, const std::vector<Broker::TopicInfo>& topics) {
                                 std::string body;
                                 JsonWriter json(body);
                                 json.object().key("topics").array();
                                 for (const auto& t : topics)
                                   json.object().field("topic", t.topic).field("devices", t.devices).end_object();
                                 json.end_array().end_object();
                                 r.send(json_answer(200, std::move(body)));
                               }));
}

void devices(Api& api, Call& call, http::Reply reply) {
  api.broker().topic_devices(
      call.caller.app, call.path_value("topic"), std::string(call.query.text("page")),
      bring<Broker::TopicPage>(std::move(reply),
                               [topic = call.path_value("topic")](http::Reply r, const Broker::TopicPage& page) {
                                 std::string body;
                                 JsonWriter json(body);
                                 json.object().field("topic", topic).field("devices", page.devices);
                                 json.key("device_ids").array();
                                 for (const std::string& id : page.device_ids) json.value(id);
                                 json.end_array().optional_field("next_page", page.next_page).end_object();
                                 r.send(json_answer(200, std::move(body)));
                               }));
}

void set(Api& api, Call& call, http::Reply reply) {
  const bool subscribed = call.request.method == http::Method::put;
  api.broker().set_topic(call.caller.app, call.path_value("topic"), call.path_value("device_id"), subscribed,
                         bring<void>(std::move(reply), [](http::Reply r) {
                           http::Response out;
                           out.status = 204;
                           out.content_type = {};
                           r.send(std::move(out));
                         }));
}

}  // namespace

const std::vector<Route>& topic_routes() {
  using http::Method;
  static const std::vector<Route> routes{
      {.method = Method::get,
       .path = "/v1/topics",
       .who = kServer,
       .handle = list,
       .id = "listTopics",
       .tag = "Topics",
       .summary = "The app's topics and how many devices each has",
       .description = "",
       .answers = {{200, "The topics", "TopicList"}}},
      {.method = Method::get,
       .path = "/v1/topics/{topic}/devices",
       .who = kServer,
       .handle = devices,
       .id = "listTopicDevices",
       .tag = "Topics",
       .summary = "The devices of a topic, page by page",
       .description = "",
       .query = {{"page", "string", "`next_page` of the answer before", ""}},
       .answers = {{200, "A page of device ids", "TopicDevices"}}},
      {.method = Method::put,
       .path = "/v1/topics/{topic}/devices/{device_id}",
       .who = kServer | kDevice,
       .handle = set,
       .id = "subscribe",
       .tag = "Topics",
       .summary = "Subscribe a device to a topic",
       .description = "A topic begins with its first device. Doing it twice is no error.",
       .answers = {{204, "Subscribed", ""}}},
      {.method = Method::del,
       .path = "/v1/topics/{topic}/devices/{device_id}",
       .who = kServer | kDevice,
       .handle = set,
       .id = "unsubscribe",
       .tag = "Topics",
       .summary = "End a device's subscription",
       .description = "",
       .answers = {{204, "Not subscribed any more", ""}}},
  };
  return routes;
}

}  // namespace godwit
