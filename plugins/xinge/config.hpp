// The channel's settings, after the schema has been passed.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <godwit/report.hpp>
#include <godwit/result.hpp>

namespace xinge {

// Three generations of one service: TPNS lives, V3 and V2 serve private installations that kept the old interface.
enum class Api : uint8_t { tpns, v3, v2 };

struct Config {
  Api api = Api::tpns;
  std::string origin, ca_file;
  std::string access_id, secret_key_name;
  bool is_ios = false;
  bool signs = true;                              // TPNS: HMAC headers; else HTTP Basic
  std::string environment;                        // "product", "dev"; compulsory on iOS
  std::string android_json;                       // members of message.android that every message gets
  std::map<std::string, std::string> categories;  // neutral category -> JSON object merged into message.android / .ios
  std::vector<uint32_t> statistics_after_s;       // when the figures of a push are asked for; empty: never
  uint32_t statistics_per_hour = 200;             // the vendor's limit
  uint32_t account_type = 0;
  uint32_t request_timeout_ms = 10'000, window = 100, max_connections = 16;

  static godwit::Result<Config> parse(std::string_view json);
  void check(godwit::Report& report) const;
  std::string host() const;  // of the origin, without scheme and port: V2 signs it
};

}  // namespace xinge
