#include "statistics.hpp"

#include <algorithm>

#include <godwit/json.hpp>

namespace xinge {
namespace {

using godwit::Json;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr size_t kMostFollowed = 5'000;

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kMakers = {{{"hw", "huawei"},
                                                                                   {"xm", "xiaomi"},
                                                                                   {"mz", "meizu"},
                                                                                   {"vivo", "vivo"},
                                                                                   {"oppo", "oppo"},
                                                                                   {"honor", "honor"},
                                                                                   {"apns", "apple"}}};

int64_t number(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_number_integer() ? std::max<int64_t>(0, it->get<int64_t>()) : 0;
}

bool is_figures(const Json& value) {
  return value.is_object() && value.contains("arrivalUv");
}

// The page names the members but not the shape around them: objects keyed by channel, and lists with a member
// `channel`, are both understood, wherever they stand.
void collect(const Json& value, const std::string& name, std::map<std::string, Figures>& out, int depth) {
  if (depth > 4) return;
  if (is_figures(value)) {
    const std::string channel = godwit::text_of(value, "channel");
    Figures f{number(value, "pushOnlineUv"), number(value, "arrivalUv"), number(value, "clickUv")};
    f.sent = std::max(f.sent, f.arrived);
    out[!channel.empty() ? channel : name.empty() ? "all" : name] = f;
  } else if (value.is_object()) {
    for (const auto& [key, item] : value.items()) collect(item, key, out, depth + 1);
  } else if (value.is_array()) {
    for (const Json& item : value) collect(item, {}, out, depth + 1);
  }
}

}  // namespace

std::string_view manufacturer_of(std::string_view channel) {
  for (const auto& [name, maker] : kMakers)
    if (name == channel) return maker;
  return {};
}

std::map<std::string, Figures> figures_of(std::string_view body) {
  std::map<std::string, Figures> out;
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return out;
  for (const char* name : {"ret_code", "retCode"})
    if (const auto code = json.find(name); code != json.end() && *code != 0) return out;
  collect(json, {}, out, 0);
  if (out.size() > 1) out.erase("all");  // the sum of the others
  return out;
}

uint64_t Statistics::due_ns(const Push& push) const {
  return push.sent_ns + config_.statistics_after_s[push.asked] * kSecond;
}

void Statistics::follow(const std::string& push_id, uint32_t targets) {
  if (config_.api != Api::tpns || config_.statistics_after_s.empty() || push_id.empty()) return;
  if (pushes_.size() >= kMostFollowed) {
    const auto smallest = std::min_element(pushes_.begin(), pushes_.end(), [](const auto& a, const auto& b) {
      return a.second.targets < b.second.targets;
    });
    if (smallest->second.targets >= targets) return;
    pushes_.erase(smallest);
  }
  pushes_[push_id] = {targets, 0, host_.now_mono_ns(), host_.now_wall_ms(), {}};
  arm();
}

void Statistics::arm() {
  if (pushes_.empty()) return;
  uint64_t due = UINT64_MAX;
  for (const auto& [id, push] : pushes_) due = std::min(due, due_ns(push));
  due = std::max(due, next_question_ns_);
  const uint64_t now = host_.now_mono_ns();
  if (armed_ns_ > now && armed_ns_ <= due) return;
  armed_ns_ = std::max(due, now + 1);
  host_.after(armed_ns_ - now, [this] { ask_due(); });
}

// The largest of those that are due.
void Statistics::ask_due() {
  const uint64_t now = host_.now_mono_ns();
  auto chosen = pushes_.end();
  for (auto it = pushes_.begin(); it != pushes_.end(); ++it)
    if (due_ns(it->second) <= now && (chosen == pushes_.end() || it->second.targets > chosen->second.targets))
      chosen = it;
  if (chosen == pushes_.end() || now < next_question_ns_) return arm();
  next_question_ns_ = now + 3600 * kSecond / config_.statistics_per_hour;
  const std::string push_id = chosen->first;
  ++chosen->second.asked;
  const bool is_last = chosen->second.asked == config_.statistics_after_s.size();
  Push asked = chosen->second;
  if (is_last) pushes_.erase(chosen);
  pool_.send(signer_.json("/v3/statistics/get_push_task_stat_channel", Json{{"pushId", push_id}}.dump()),
             [this, push_id, asked = std::move(asked)](const godwit::HttpReply& reply) mutable {
               if (!reply.is_answered()) return;
               Push& push = pushes_.contains(push_id) ? pushes_[push_id] : asked;
               for (const auto& [channel, f] : figures_of(reply.body())) {
                 Figures& before = push.told[channel];
                 const Figures more{std::max<int64_t>(0, f.sent - before.sent),
                                    std::max<int64_t>(0, f.arrived - before.arrived),
                                    std::max<int64_t>(0, f.clicked - before.clicked)};
                 before = {before.sent + more.sent, before.arrived + more.arrived, before.clicked + more.clicked};
                 tell(push_id, push, channel, more);
               }
             });
  arm();
}

void Statistics::tell(const std::string& push_id, const Push& push, std::string_view channel, const Figures& more) {
  if (more.sent == 0 && more.arrived == 0 && more.clicked == 0) return;
  const std::string payload = Json{
      {"of", more.sent},
      {"delivered", more.arrived},
      {"opened", more.clicked},
      {"manufacturer",
       manufacturer_of(channel)}}.dump();
  const std::string event_id = "figures/" + push_id + "/" + std::string(channel) + "/" + std::to_string(push.asked);
  events_.send(godwit::Event::figures(push_id, event_id, payload, push.sent_wall_ms));
}

}  // namespace xinge
