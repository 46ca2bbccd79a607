#include "config.hpp"

#include <algorithm>
#include <set>

#include <godwit/json.hpp>

namespace mipush {

using godwit::Json;

godwit::Result<Config> Config::parse(std::string_view text) {
  const auto json = godwit::parse_json(text);
  if (!json) return json.error();
  godwit::ConfigReader in(*json);
  Config c;
  c.origin = in.get<std::string>("origin", "https://api.xmpush.xiaomi.com");
  c.feedback_origin = in.get<std::string>("feedback_origin", "https://feedback.xmpush.xiaomi.com");
  c.ca_file = in.get<std::string>("ca_file", "");
  c.app_secret_name = in.get<std::string>("app_secret");
  c.package_name = in.get<std::string>("package_name");
  c.callback_url = in.get<std::string>("callback_url", "");
  c.callback_path = in.get<std::string>("callback_path", "");
  c.recall_api = in.get<std::string>("recall_api", "v3");
  c.receipts = in.get<uint32_t>("receipts", 243);
  c.feedback_poll_s = in.get<uint32_t>("feedback_poll_s", 0);
  c.calls_per_s = in.get<uint32_t>("calls_per_s", 500);
  c.request_timeout_ms = in.get<uint32_t>("request_timeout_ms", 10'000);
  c.window = in.get<uint32_t>("window", 1000);
  c.merge_messages = in.get<bool>("merge_messages", true) && c.recall_api != "v2";
  c.max_connections = in.get<uint32_t>("max_connections", 16);
  for (const Json& entry : in.get<std::vector<Json>>("classes", {})) {
    godwit::ConfigReader each(entry);
    MessageClass k;
    k.channel_id = each.get<std::string>("channel_id");
    k.is_private = each.get<std::string>("kind", "public") == "private";
    k.template_id = each.get<std::string>("template_id", "");
    k.categories = each.get<std::vector<std::string>>("categories", {});
    if (!each) return each.error();
    c.classes.push_back(std::move(k));
  }
  if (const auto channel_id = in.get<std::string>("channel_id", ""); !channel_id.empty() && c.classes.empty())
    c.classes.push_back({channel_id, false, {}, {}});
  if (!in) return in.error();
  return c;
}

void Config::check(godwit::Report& report) const {
  std::set<std::string> ids, categories;
  for (size_t i = 0; i < classes.size(); ++i) {
    const std::string where = "/classes/" + std::to_string(i);
    if (!ids.insert(classes[i].channel_id).second)
      report.error(where + "/channel_id",
                   "the class " + classes[i].channel_id + " stands here twice; merge the entries");
    for (const std::string& category : classes[i].categories)
      if (!categories.insert(category).second)
        report.error(where + "/categories", "the category " + category + " belongs to two classes; keep one");
  }
  if (callback_url.empty() != callback_path.empty())
    report.error(callback_url.empty() ? "/callback_url" : "/callback_path",
                 "receipts need both callback_url and callback_path; give both or neither");
  if (classes.empty())
    report.warning("/classes",
                   "without a message class Xiaomi refuses pushes of most apps since 2024-11 (27001); "
                   "name one from the console's notification categories");
  if (callback_url.empty())
    report.warning("/callback_url",
                   "without callbacks nothing but `accepted` is known of a message, and dead regids "
                   "in lists are not noticed");
}

const MessageClass* Config::class_for(std::string_view category) const {
  const MessageClass* otherwise = nullptr;
  for (const MessageClass& k : classes) {
    if (!category.empty() && std::find(k.categories.begin(), k.categories.end(), category) != k.categories.end())
      return &k;
    if (otherwise == nullptr || (otherwise->is_private && !k.is_private)) otherwise = &k;
  }
  return otherwise;
}

}  // namespace mipush
