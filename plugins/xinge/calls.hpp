// A signed request of any generation. Lane only, because the secret changes there.
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

 private:
  godwit::Host host_;
  const Config& config_;
  std::string secret_;
};

}  // namespace xinge
