// Any bytes as a WebSocket's beginning and as its frames, cut anywhere: never out of bounds, and the cuts change
// nothing.
#include <cstdlib>
#include <string>
#include <vector>

#include "plugins/selfconn/stream/upgrade.hpp"
#include "plugins/selfconn/stream/websocket_frames.hpp"

namespace {

std::string unframe(const uint8_t* data, size_t size, size_t piece) {
  using Event = selfconn::WebSocketFrames::Step::Event;
  selfconn::WebSocketFrames frames;
  std::string story;
  for (size_t at = 0; at < size; at += piece) {
    std::vector<uint8_t> part(data + at, data + at + std::min(piece, size - at));
    for (size_t done = 0; done < part.size();) {
      const auto step = frames.take(std::span(part).subspan(done));
      if (step.payload > step.consumed) std::abort();
      story.append(reinterpret_cast<const char*>(part.data() + done), step.payload);
      done += step.consumed;
      if (step.event == Event::ping) story += "[" + frames.control() + "]";
      if (step.event == Event::close || step.event == Event::fault) return story + std::to_string(step.code);
    }
  }
  return story;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)selfconn::answer_upgrade({reinterpret_cast<const char*>(data), size});
  if (size < 2) return 0;
  if (unframe(data + 1, size - 1, size) != unframe(data + 1, size - 1, data[0] % 31 + 1)) std::abort();
  return 0;
}
