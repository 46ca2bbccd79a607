// XEP-0114 (version 1.6) §3: header, handshake, done.
#include <godwit/hex.hpp>

#include "plugins/xmpp/login/crypto.hpp"
#include "plugins/xmpp/login/login.hpp"
#include "plugins/xmpp/xml/escape.hpp"

namespace xmpp {
namespace {

class ComponentLogin final : public Login {
 public:
  ComponentLogin(std::string domain, std::string secret) : secret_(std::move(secret)) {
    session_.jid = std::move(domain);
  }

  std::string header() override {
    return "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
           "xmlns:stream='http://etherx.jabber.org/streams' to='" +
           escaped(session_.jid) + "'>";
  }

  Step on(const StreamEvent& event) override {
    if (event.kind == StreamEvent::Kind::open) {
      const std::string_view id = event.element.attribute("id");
      if (id.empty()) return {};  // the server refuses us; the stream error that follows says why
      return {Step::Next::wait,
              "<handshake>" + godwit::lower_hex(digest(Hash::sha1, std::string(id) + secret_)) + "</handshake>"};
    }
    if (event.kind == StreamEvent::Kind::stanza) {
      if (event.element.is("handshake", ns::kComponent)) return {Step::Next::ready};
      if (event.element.is("error", ns::kStream)) return {Step::Next::failed, {}, stream_fault(event.element)};
    }
    if (event.kind == StreamEvent::Kind::close)
      return {Step::Next::failed,
              {},
              {LinkFault::Kind::network, "closed", "the server closed the stream before the handshake"}};
    return {};
  }

  const Session& session() const override { return session_; }

 private:
  const std::string secret_;
  Session session_;
};

}  // namespace

std::unique_ptr<Login> make_component_login(std::string domain, std::string secret) {
  return std::make_unique<ComponentLogin>(std::move(domain), std::move(secret));
}

LinkFault stream_fault(const Element& element) {
  const Element* condition = nullptr;
  for (const Element& c : element.children)
    if (c.ns == ns::kStreamErrors && c.name != "text") condition = &c;
  LinkFault fault;
  fault.code = condition ? condition->name : "undefined-condition";
  fault.text = "the server says " + fault.code;
  if (const auto text = element.child_text("text", ns::kStreamErrors); !text.empty())
    fault.text += ": " + std::string(text.substr(0, 200));
  if (fault.code == "conflict") {
    fault.kind = LinkFault::Kind::conflict;
    fault.text += "; another connection uses this name: give each instance its own `jid`";
  } else if (fault.code == "host-unknown") {
    fault.kind = LinkFault::Kind::configuration;
    fault.text += "; it does not serve this `jid`: add the component there, or correct `jid`";
  } else if (fault.code == "not-authorized") {
    fault.kind = LinkFault::Kind::configuration;
    fault.text += "; `password` is not the one that the server has";
  } else if (fault.code == "invalid-from" || fault.code == "policy-violation") {
    fault.kind = LinkFault::Kind::configuration;
  }
  return fault;
}

}  // namespace xmpp
