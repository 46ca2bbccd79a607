// GET /v1/events: Server-Sent Events of what happens to messages.
#pragma once

#include "broker/api/routes/call.hpp"

namespace godwit {

void stream_events(Api& api, Call& call, http::Reply reply);

}  // namespace godwit
