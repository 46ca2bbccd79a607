// The request parser: the first byte says how the bytes are cut and whether bodies are streamed. Whatever comes, no
// crash, progress, and the limits hold.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "broker/api/http/request_parser.hpp"

namespace {

using namespace godwit::http;

constexpr ParserLimits kLimits{512, 256, 16};

// What a server would see: each request in one line.
std::string transcript(std::string_view bytes, size_t step, bool stream) {
  RequestParser parser(kLimits);
  std::string out, buffer;
  size_t fed = 0;
  while (true) {
    size_t used = 0;
    const ParseStep result = parser.read(buffer, used);
    if (used > buffer.size()) std::abort();
    if (result == ParseStep::header) {
      const Request& r = parser.request();
      out += std::string(r.method_text) + " " + std::string(r.path) + "?" + std::string(r.query);
      for (const Header& h : r.headers) out += "|" + std::string(h.name) + "=" + std::string(h.value);
      if (stream) parser.stream_body();
    } else if (result == ParseStep::data) {
      out += parser.piece();
    } else if (result == ParseStep::done) {
      if (!stream) {
        if (parser.request().body.size() > kLimits.body_bytes) std::abort();
        out += parser.request().body;
      }
      out += parser.keep_alive() ? ";\n" : ".\n";
      parser.next();
    }
    buffer.erase(0, used);
    if (result == ParseStep::refused) return out + "refused " + std::to_string(parser.status());
    if (result != ParseStep::need_more) continue;
    if (fed == bytes.size()) return out + "more";
    const size_t n = std::min(step, bytes.size() - fed);
    buffer.append(bytes.substr(fed, n));
    fed += n;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t step = (data[0] >> 1) + 1u;
  const bool stream = data[0] & 1;
  (void)transcript(bytes, bytes.size() + 1, stream);
  (void)transcript(bytes, step, stream);
  return 0;
}
