// POST /v1/messages/batch: any number of messages in one request, answered while they come.
#pragma once

#include "broker/api/routes/call.hpp"

namespace godwit {

// Called when the header is there; the body follows in pieces.
void accept_batch(Api& api, Call& call, http::Reply reply);

}  // namespace godwit
