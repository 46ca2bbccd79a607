// Statistics: measured delivery rates. They are the broker's, of all apps together; an app sees those of its channels.
#include <algorithm>
#include <array>

#include "broker/api/routes/call.hpp"
#include "broker/api/views.hpp"
#include "broker/base/encoding.hpp"

namespace godwit {
namespace {

constexpr int64_t kDayMs = 86'400'000, kLongestWindowMs = 7 * kDayMs;  // what routing/RateBook keeps
constexpr std::array<std::string_view, 4> kGroups{"channel", "manufacturer", "os", "app_version"};

void read_groups(std::string_view text, routing::RateQuery& query, Faults& faults) {
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view group = text.substr(0, comma);
    text = comma == text.npos ? std::string_view() : text.substr(comma + 1);
    if (group == "manufacturer") query.by_manufacturer = true;
    if (group == "os") query.by_os = true;
    if (group == "app_version") query.by_app_version = true;
    if (std::find(kGroups.begin(), kGroups.end(), group) == kGroups.end())
      faults.add_named("query:by", fault_codes::one_of,
                       "must be a list of channel, manufacturer, os, app_version; not '" + std::string(group) + "'");
  }
}

void delivery(Api& api, Call& call, http::Reply reply) {
  routing::RateQuery query;
  read_groups(call.query.text("by"), query, call.faults);
  query.now_ms = api.now();
  query.from_ms = query.now_ms - call.query.duration_ms("window", kDayMs, kLongestWindowMs, call.faults);
  if (!call.faults.empty()) return reply.send(call.faults.response());
  api.broker().rates(
      query, bring<RateView>(std::move(reply), [query, rules = call.caller.rules](http::Reply r, RateView view) {
        std::erase_if(view.rows, [&](const routing::RateRow& row) {
          return rules && row.channel < view.channel_names.size() && !rules->may_use(view.channel_names[row.channel]);
        });
        std::string body;
        JsonWriter json(body);
        json.object().field("from", to_rfc3339(query.from_ms)).field("to", to_rfc3339(query.now_ms)).key("rates");
        write_rates(json, view);
        json.end_object();
        r.send(json_answer(200, std::move(body)));
      }));
}

}  // namespace

const std::vector<Route>& statistics_routes() {
  using http::Method;
  static const std::vector<Route> routes{
      {.method = Method::get,
       .path = "/v1/stats/delivery",
       .who = kServer | kAdmin,
       .handle = delivery,
       .id = "deliveryRates",
       .tag = "Routing",
       .summary = "Measured delivery rates",
       .description = "Counts, rate and its 95 % credible interval for each channel and group, by the kind of receipt "
                      "that they rest on. Rates of different kinds are never mixed; what is only known to be accepted "
                      "has no rate. Counted are the sends of all apps on the channels that this app may use, by the "
                      "minute for windows of up to two hours and by the hour for longer ones.",
       .query = {{"by", "string", "A list of channel, manufacturer, os, app_version", "channel,manufacturer"},
                 {"window", "string", "How far back: 90s, 30m, 24h, and 7d at most; 24h when left out", "24h"}},
       .answers = {{200, "A row for each group", "DeliveryRates"}}},
  };
  return routes;
}

}  // namespace godwit
