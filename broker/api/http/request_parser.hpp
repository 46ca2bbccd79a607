// RequestParser turns bytes of a connection into Requests. It is Beast's parser with our own storage: header fields go
// into one text buffer that is used again for each request, so a request costs no allocation once the buffer has grown,
// and a body that came whole is a view into the caller's bytes.
//
// What makes two parsers disagree about where a message ends is refused, not guessed: any Transfer-Encoding but a plain
// `chunked`, conflicting lengths, a missing or repeated Host.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "broker/api/http/message.hpp"

namespace godwit::http {

// What the bytes brought. After `refused` nothing more can be read from the connection.
enum class ParseStep : uint8_t {
  need_more,  // not enough bytes yet
  header,     // the header is complete; say what happens to the body, then go on
  data,       // a piece of a streamed body: piece()
  done,       // the request is complete
  refused,    // status() and reason() say why
};

struct ParserLimits {
  size_t header_bytes = 16 * 1024;
  size_t body_bytes = 256 * 1024;
  size_t header_fields = 100;
};

class RequestParser {
 public:
  explicit RequestParser(ParserLimits limits);
  ~RequestParser();

  // Reads from the front of `bytes` and says how many were used up. Call again with the rest until need_more. Views in
  // request() and piece() point into `bytes` or into the parser, and hold until the next call.
  ParseStep read(std::string_view bytes, size_t& used);
  // After `header`: the body comes in pieces and has no limit of its own.
  void stream_body();
  // After `done`: the next request may begin.
  void next();

  Request& request();
  std::string_view piece() const;
  bool began() const;  // bytes of a request were read
  bool header_done() const;
  bool keep_alive() const;
  bool http11() const;
  bool expects_continue() const;
  bool has_body() const;

  int status() const;  // of `refused`: 400, 413, 417, 431, 501 or 505
  std::string_view reason() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::http
