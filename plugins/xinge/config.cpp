#include "config.hpp"

#include <algorithm>

#include <godwit/json.hpp>

namespace xinge {
namespace {

using godwit::Json;

// Access points of TPNS (product 548, "server API"); their data are separate.
std::string usual_origin(Api api, const std::string& access_point) {
  if (api != Api::tpns) return "https://openapi.xg.qq.com";
  if (access_point == "shanghai") return "https://api.tpns.sh.tencent.com";
  if (access_point == "hongkong") return "https://api.tpns.hk.tencent.com";
  if (access_point == "singapore") return "https://api.tpns.sgp.tencent.com";
  return "https://api.tpns.tencent.com";
}

}  // namespace

godwit::Result<Config> Config::parse(std::string_view text) {
  const auto json = godwit::parse_json(text);
  if (!json) return json.error();
  godwit::ConfigReader in(*json);
  Config c;
  const auto api = in.get<std::string>("api", "tpns");
  c.api = api == "v2" ? Api::v2 : api == "v3" ? Api::v3 : Api::tpns;
  c.origin = in.get<std::string>("origin", "");
  if (c.origin.empty()) c.origin = usual_origin(c.api, in.get<std::string>("access_point", "guangzhou"));
  c.ca_file = in.get<std::string>("ca_file", "");
  c.access_id = in.get<std::string>("access_id");
  c.secret_key_name = in.get<std::string>("secret_key");
  c.is_ios = in.get<std::string>("platform", "android") == "ios";
  c.signs = in.get<std::string>("auth", "sign") == "sign";
  c.environment = in.get<std::string>("environment", "");
  c.android_json = in.get<Json>("android", Json::object()).dump();
  for (const auto& [name, value] : in.get<std::map<std::string, Json>>("categories", {}))
    c.categories.emplace(name, value.dump());
  c.statistics_after_s = in.get<std::vector<uint32_t>>("statistics_after_s", {600, 3600, 86400});
  c.statistics_per_hour = in.get<uint32_t>("statistics_per_hour", 200);
  c.account_type = in.get<uint32_t>("account_type", 0);
  c.request_timeout_ms = in.get<uint32_t>("request_timeout_ms", 10'000);
  c.window = in.get<uint32_t>("window", 100);
  c.max_connections = in.get<uint32_t>("max_connections", 16);
  if (!in) return in.error();
  return c;
}

void Config::check(godwit::Report& report) const {
  if (is_ios && environment.empty())
    report.error("/environment", "iOS needs environment: product or dev, as the app was signed");
  if (api == Api::tpns && (access_id.size() < 2 || access_id.find_first_not_of("0123456789") != std::string::npos))
    report.error("/access_id", "TPNS's AccessId is a number (Android 1500…, iOS 1600…), not " + access_id);
  if (api == Api::tpns && access_id.starts_with("16") != is_ios)
    report.warning("/platform", "access_id " + access_id + " looks like one of the other platform");
  if (!std::is_sorted(statistics_after_s.begin(), statistics_after_s.end()))
    report.error("/statistics_after_s", "the times must grow");
  if (api != Api::tpns)
    report.warning("/api", "Xinge V2 and V3 were closed in 2020: only private installations still answer");
}

std::string Config::host() const {
  const size_t begin = origin.find("://") + 3;
  return origin.substr(begin, origin.find_first_of(":/", begin) - begin);
}

}  // namespace xinge
