// StreamParser turns the bytes of an XMPP stream into its header, its stanzas and its end. Bytes in, values out: no
// socket, no host.
//
// What any account of the server can make it send us (a huge, deep or crowded stanza) costs that stanza, never the
// link: the parser reads over it and says `dropped`. What no correct server sends (a DTD and with it every entity, a
// processing instruction, a comment, XML that is not well-formed, a stanza without end) breaks the stream. Memory is
// bounded by the limits whatever comes.
//
// One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/xmpp/xml/element.hpp"

namespace xmpp {

struct ParserLimits {
  size_t stanza_bytes = 128 * 1024;  // more: dropped
  size_t depth = 32;                 // of elements below the stream's root; more: dropped
  size_t attributes = 32;            // of one element; more: dropped
  size_t elements = 512;             // of one stanza; more: dropped
  size_t broken_bytes =
      4 * 1024 * 1024;  // a stanza that has not ended by then breaks the stream (servers stop at 0.5 MiB)
};

struct StreamEvent {
  enum class Kind : uint8_t { open, stanza, dropped, close };
  Kind kind;
  Element element;  // open: the stream's header; dropped: what was known by then (name and attributes)
};

class StreamParser {
 public:
  explicit StreamParser(ParserLimits limits = {});
  ~StreamParser();
  StreamParser(const StreamParser&) = delete;
  StreamParser& operator=(const StreamParser&) = delete;

  // A new document begins: after connecting, after STARTTLS, after SASL.
  void restart();

  // Appends what these bytes completed. False: the stream is broken (fault() says why) until restart().
  bool feed(std::string_view bytes, std::vector<StreamEvent>& out);
  const std::string& fault() const { return fault_; }

 private:
  struct Work;
  const ParserLimits limits_;
  std::unique_ptr<Work> work_;
  std::string fault_;
};

}  // namespace xmpp
