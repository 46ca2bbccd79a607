// Element is one stanza, or a part of it, as a small tree that owns its bytes. Plain data; one thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xmpp {

struct Element {
  std::string name, ns, text;                                   // text: of this element only, not of its children
  std::vector<std::pair<std::string, std::string>> attributes;  // without a namespace: its name; else "ns\nname"
  std::vector<Element> children;

  bool is(std::string_view wanted, std::string_view wanted_ns) const { return name == wanted && ns == wanted_ns; }
  // Empty when it is absent.
  std::string_view attribute(std::string_view wanted) const;
  // Null when it is absent.
  const Element* child(std::string_view wanted, std::string_view wanted_ns) const;
  const Element* child_in(std::string_view wanted_ns) const;  // the first of that namespace
  std::string_view child_text(std::string_view wanted, std::string_view wanted_ns) const;
};

namespace ns {
inline constexpr std::string_view kStream = "http://etherx.jabber.org/streams";
inline constexpr std::string_view kClient = "jabber:client";
inline constexpr std::string_view kComponent = "jabber:component:accept";
inline constexpr std::string_view kStreamErrors = "urn:ietf:params:xml:ns:xmpp-streams";
inline constexpr std::string_view kStanzaErrors = "urn:ietf:params:xml:ns:xmpp-stanzas";
inline constexpr std::string_view kTls = "urn:ietf:params:xml:ns:xmpp-tls";
inline constexpr std::string_view kSasl = "urn:ietf:params:xml:ns:xmpp-sasl";
inline constexpr std::string_view kBind = "urn:ietf:params:xml:ns:xmpp-bind";
inline constexpr std::string_view kSm = "urn:xmpp:sm:3";
inline constexpr std::string_view kPing = "urn:xmpp:ping";
inline constexpr std::string_view kReceipts = "urn:xmpp:receipts";
inline constexpr std::string_view kMarkers = "urn:xmpp:chat-markers:0";
inline constexpr std::string_view kDisco = "http://jabber.org/protocol/disco#info";
inline constexpr std::string_view kPush = "urn:godwit:push:1";
inline constexpr std::string_view kConfirm = "androidpn:iq:deliverconfirm";
}  // namespace ns

}  // namespace xmpp
