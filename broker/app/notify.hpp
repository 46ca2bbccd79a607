// Tells the supervisor how far we are, by systemd's readiness protocol (sd_notify(3)): one datagram to the socket that
// NOTIFY_SOCKET names. Without the variable nothing happens.
#pragma once

#include <string_view>

namespace godwit {

void notify_supervisor(std::string_view state);  // "READY=1", "STOPPING=1", "RELOADING=1"

}  // namespace godwit
