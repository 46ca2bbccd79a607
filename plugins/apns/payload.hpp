// The payload of a plain notification, written straight from the message's bytes.
//
// It takes the tree of JSON values away from nearly every push: that tree was half of what a push cost. What is not
// plain (overrides, raw content, numbers with a fraction, a key twice, no object at all) is left to push.cpp, which
// builds the tree. Both make the same JSON; payload_test.cpp holds them together.
#pragma once

#include <string>

#include <godwit/message.hpp>

#include "config.hpp"

namespace apns {

// False: not plain; `out` is of no use then. Safe from any thread.
[[nodiscard]] bool write_payload(const Config& config, const godwit::Message& message, std::string& out);

}  // namespace apns
