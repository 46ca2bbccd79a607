// The physical limit beside the channel: a component that writes the same stanzas, prepared beforehand, as fast as the
// server reads them, and waits for the answer to one question at their end. It keeps nothing and promises nothing.
#pragma once

#include <cstdint>
#include <string>

namespace godwit::bench {

// Messages a second. Throws std::runtime_error when the server refuses it.
double raw_messages_per_second(const std::string& server, const std::string& jid, const std::string& secret,
                               const std::string& stanza, uint64_t count);

}  // namespace godwit::bench
