// A signed request of any generation. Lane only but for what is static, because the secret changes there.
#pragma once

#include <string>
#include <string_view>

#include <godwit/services/http.hpp>

#include "body.hpp"
#include "config.hpp"

namespace xinge {

class Signer {
 public:
  Signer(godwit::Host host, const Config& config) : host_(host), config_(config) {}
  void use_secret(std::string_view secret) { secret_ = secret; }

  // TPNS, V3: the body is signed byte for byte as it is sent.
  godwit::HttpRequest json(std::string path, std::string body) const;
  // V2: adds access_id, timestamp, valid_time and sign.
  godwit::HttpRequest form(const V2Call& call) const;

  // The same for a dry run, from any thread: the moment and what proves who calls are left open.
  static godwit::HttpRequest shown_json(const Config& config, std::string path, std::string body);
  static godwit::HttpRequest shown_form(const Config& config, const V2Call& call);

 private:
  godwit::Host host_;
  const Config& config_;
  std::string secret_;
};

}  // namespace xinge
