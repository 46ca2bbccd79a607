// Text on its way into XML. Whatever it holds, the result is well-formed: one forbidden character would close the link
// for every device. Characters that XML 1.0 forbids (§2.2) and bytes that are not UTF-8 become U+FFFD.
#pragma once

#include <string>
#include <string_view>

namespace xmpp {

// For text and for attribute values in single quotes.
void append_escaped(std::string& out, std::string_view text);
std::string escaped(std::string_view text);

}  // namespace xmpp
