// The channel's settings, after the schema has been passed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <godwit/report.hpp>
#include <godwit/result.hpp>

namespace mipush {

// A class of messages ("channel" in Xiaomi's words), registered in its console: quotas and time-to-live hang on it.
// Limits from pId 1656 (2026-02-04).
struct MessageClass {
  std::string channel_id;
  bool is_private = false;              // 私信: no daily quota, kept for up to 10 days; public (公信): 1 day
  std::string template_id;              // compulsory for private classes of new apps since 2026-07-01
  std::vector<std::string> categories;  // neutral categories that belong to it
};

struct Config {
  std::string origin, feedback_origin, ca_file;
  std::string app_secret_name, package_name;
  std::vector<MessageClass> classes;  // the first public one (else the first) takes what has no category of its own
  std::string callback_url, callback_path;
  std::string recall_api = "v3";
  uint32_t receipts = 243;  // callback.type: 1 delivered, 2 clicked, 16 invalid, 32 disabled, 64 filtered, 128 quota
  uint32_t feedback_poll_s = 0;
  uint32_t calls_per_s = 500;
  uint32_t request_timeout_ms = 10'000, window = 1000, max_connections = 16;
  bool merge_messages = true;  // several messages for one device each become one call

  static godwit::Result<Config> parse(std::string_view json);
  // What a schema cannot say.
  void check(godwit::Report& report) const;

  // The class of a neutral category; null when no class is configured at all.
  const MessageClass* class_for(std::string_view category) const;
};

}  // namespace mipush
