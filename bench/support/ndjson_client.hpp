// NdjsonClient: streams a batch of messages over one connection and reads the answers while it writes, on two blocking
// threads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace godwit::bench {

struct NdjsonResult {
  uint64_t accepted = 0, refused = 0;
  std::string first_refusal;
};

// `next` fills `out` with the next piece of the body (whole lines) and answers false when there is none.
NdjsonResult stream_batch(int port, const std::string& key, const std::function<bool(std::string& out)>& next);

// One small request; answers the body. For registering and for /metrics.
std::string http_call(int port, const std::string& request);

}  // namespace godwit::bench
