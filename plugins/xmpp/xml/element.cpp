#include "plugins/xmpp/xml/element.hpp"

namespace xmpp {

std::string_view Element::attribute(std::string_view wanted) const {
  for (const auto& [key, value] : attributes)
    if (key == wanted) return value;
  return {};
}

const Element* Element::child(std::string_view wanted, std::string_view wanted_ns) const {
  for (const Element& c : children)
    if (c.is(wanted, wanted_ns)) return &c;
  return nullptr;
}

const Element* Element::child_in(std::string_view wanted_ns) const {
  for (const Element& c : children)
    if (c.ns == wanted_ns) return &c;
  return nullptr;
}

std::string_view Element::child_text(std::string_view wanted, std::string_view wanted_ns) const {
  const Element* c = child(wanted, wanted_ns);
  return c ? std::string_view(c->text) : std::string_view();
}

}  // namespace xmpp
