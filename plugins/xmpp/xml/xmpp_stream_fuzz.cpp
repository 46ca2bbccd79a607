// Any bytes as a server's stream, in pieces of any size: never out of bounds, never more memory than the limits allow,
// and what was read can be written and read again without a change.
#include <cstdlib>

#include "plugins/xmpp/xml/escape.hpp"
#include "plugins/xmpp/xml/jid.hpp"
#include "plugins/xmpp/xml/stream_parser.hpp"

namespace {

void write(const xmpp::Element& e, std::string& out) {
  out += "<" + e.name + " xmlns='" + xmpp::escaped(e.ns) + "'";
  for (const auto& [name, value] : e.attributes)
    if (name.find('\n') == std::string::npos) out += " " + name + "='" + xmpp::escaped(value) + "'";
  out += ">" + xmpp::escaped(e.text);
  for (const auto& c : e.children) write(c, out);
  out += "</" + e.name + ">";
}

}  // namespace

// The first byte is the size of the pieces.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const size_t piece = data[0] == 0 ? bytes.size() + 1 : data[0];
  xmpp::StreamParser parser({.stanza_bytes = 4096, .depth = 8, .attributes = 6, .elements = 20, .broken_bytes = 16384});
  std::vector<xmpp::StreamEvent> events;
  for (size_t at = 0; at < bytes.size(); at += piece)
    if (!parser.feed(bytes.substr(at, piece), events)) break;
  for (const auto& event : events) {
    (void)xmpp::Jid::parse(event.element.attribute("from"));
    if (event.kind != xmpp::StreamEvent::Kind::stanza) continue;
    std::string once = "<s>", twice = "<s>";
    write(event.element, once);
    xmpp::StreamParser again;
    std::vector<xmpp::StreamEvent> read;
    if (!again.feed(once, read) || read.size() != 2) std::abort();
    write(read[1].element, twice);
    if (once != twice) std::abort();
  }
  return 0;
}
