// Refuses requests that would break HTTP's framing: what a plugin passes on may come from a message.
#pragma once

#include "broker/net/http_client.hpp"

namespace godwit::net {

// Code::invalid names the part and the fault.
Result<void> check_request(const HttpRequest& request);

}  // namespace godwit::net
