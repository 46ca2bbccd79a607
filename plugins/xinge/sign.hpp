// How each generation proves who calls. Pure functions; the numbers of Tencent's documents are in the tests.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace xinge {

std::string base64(std::string_view bytes);

// "Basic …" of TPNS and V3.
std::string basic(std::string_view id, std::string_view secret);

// TPNS's header `Sign`: base64 of the *hex text* of HMAC-SHA256(secret, timestamp + access_id + body). The one-line
// formula of the document leaves the hex step out; all of its code samples have it.
std::string tpns_sign(std::string_view secret, std::string_view timestamp, std::string_view access_id,
                      std::string_view body);

// V2's `sign`: MD5 of method, host and path, all parameters sorted by name with raw values, and the secret.
std::string v2_sign(std::string_view method, std::string_view host_and_path,
                    const std::map<std::string, std::string>& parameters, std::string_view secret);

}  // namespace xinge
