// The client's way in: RFC 6120 §4 to §7, then XEP-0198 (1.6.3) §3 and §5. One function for each thing that is awaited.
#include <charconv>
#include <optional>

#include "plugins/xmpp/login/login.hpp"
#include "plugins/xmpp/login/scram.hpp"
#include "plugins/xmpp/xml/escape.hpp"

namespace xmpp {
namespace {

using Kind = LinkFault::Kind;

Step failed(Kind kind, std::string code, std::string text) {
  return {Step::Next::failed, {}, {kind, std::move(code), std::move(text)}};
}
Step send(std::string bytes) {
  return {Step::Next::wait, std::move(bytes)};
}
Step unexpected(const Element& e) {
  return failed(Kind::network, "unexpected", "the server sent <" + e.name.substr(0, 40) + "> while signing in");
}

std::optional<uint32_t> number(std::string_view text) {
  uint32_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

class ClientLogin final : public Login {
 public:
  ClientLogin(ClientCredentials credentials, Resumption previous)
      : c_(std::move(credentials)), previous_(std::move(previous)) {}

  std::string header() override {
    state_ = &ClientLogin::on_features;
    return "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
           "version='1.0' to='" +
           escaped(c_.jid.domain) + "'>";
  }

  Step on(const StreamEvent& event) override {
    if (event.kind == StreamEvent::Kind::close)
      return failed(Kind::network, "closed", "the server closed the stream while signing in");
    if (event.kind != StreamEvent::Kind::stanza) return {};
    if (event.element.is("error", ns::kStream)) return {Step::Next::failed, {}, stream_fault(event.element)};
    return (this->*state_)(event.element);
  }

  const Session& session() const override { return session_; }

 private:
  Step on_features(const Element& e) {
    if (!e.is("features", ns::kStream)) return unexpected(e);
    if (!is_encrypted_ && c_.tls != TlsMode::off) {
      if (e.child("starttls", ns::kTls)) {
        state_ = &ClientLogin::on_proceed;
        return send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
      }
      if (c_.tls == TlsMode::required)
        return failed(Kind::configuration, "tls-not-offered",
                      "the server offers no STARTTLS: give it a certificate, or set `tls` to optional");
    }
    if (!is_authenticated_) return authenticate(e);
    offers_sm_ = e.child("sm", ns::kSm) != nullptr;
    if (offers_sm_ && !previous_.id.empty()) {
      state_ = &ClientLogin::on_resumed;
      return send("<resume xmlns='urn:xmpp:sm:3' h='" + std::to_string(previous_.handled) + "' previd='" +
                  escaped(previous_.id) + "'/>");
    }
    return bind();
  }

  Step on_proceed(const Element& e) {
    if (!e.is("proceed", ns::kTls)) return failed(Kind::network, "starttls", "the server could not begin TLS");
    is_encrypted_ = true;
    return {Step::Next::start_tls};
  }

  Step authenticate(const Element& features) {
    const Element* mechanisms = features.child("mechanisms", ns::kSasl);
    const auto offers = [&](std::string_view name) {
      if (mechanisms)
        for (const Element& m : mechanisms->children)
          if (m.name == "mechanism" && m.text == name) return true;
      return false;
    };
    state_ = &ClientLogin::on_challenge;
    for (const auto& [name, hash] : {std::pair{"SCRAM-SHA-256", Hash::sha256}, std::pair{"SCRAM-SHA-1", Hash::sha1}}) {
      if (!offers(name)) continue;
      scram_.emplace(hash, c_.jid.local, c_.password, c_.nonce);
      return auth(name, scram_->first());
    }
    if (is_encrypted_ && offers("PLAIN"))
      return auth("PLAIN", std::string(1, '\0') + c_.jid.local + std::string(1, '\0') + c_.password);
    return failed(Kind::configuration, "no-mechanism",
                  "the server offers none of SCRAM-SHA-256, SCRAM-SHA-1 and (inside TLS) PLAIN");
  }
  static Step auth(std::string_view mechanism, std::string_view initial) {
    return send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='" + std::string(mechanism) + "'>" +
                base64(initial) + "</auth>");
  }

  Step on_challenge(const Element& e) {
    if (e.is("failure", ns::kSasl)) return refused(e);
    const auto text = from_base64(e.text);
    if (e.is("challenge", ns::kSasl) && scram_ && text && !is_answered_) {
      const auto answer = scram_->answer(*text);
      if (!answer) return failed(Kind::configuration, "scram", "the server's SCRAM challenge makes no sense");
      is_answered_ = true;
      return send("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + base64(*answer) + "</response>");
    }
    if (!e.is("success", ns::kSasl)) return unexpected(e);
    if (scram_ && !(text && scram_->is_proven(*text)))
      return failed(Kind::configuration, "scram",
                    "the server did not prove that it knows the password: it may not be the one that it says it is");
    is_authenticated_ = true;
    return {Step::Next::restart};
  }
  static Step refused(const Element& failure) {
    std::string code = "not-authorized";
    for (const Element& c : failure.children)
      if (c.name != "text") code = c.name;
    if (code == "temporary-auth-failure")
      return failed(Kind::network, code, "the server cannot check passwords at the moment");
    return failed(Kind::configuration, code, "the server refuses to sign in: " + code + "; see `jid` and `password`");
  }

  Step on_resumed(const Element& e) {
    const auto handled = number(e.attribute("h"));
    session_.knows_handled = handled.has_value();
    session_.handled = handled.value_or(0);
    if (e.is("failed", ns::kSm)) return bind();
    if (!e.is("resumed", ns::kSm) || !handled) return unexpected(e);
    session_.counts_stanzas = session_.is_resumed = true;
    session_.resume_id = previous_.id;
    return {Step::Next::ready};
  }

  Step bind() {
    state_ = &ClientLogin::on_bound;
    std::string resource;
    if (!c_.jid.resource.empty()) resource = "<resource>" + escaped(c_.jid.resource) + "</resource>";
    return send("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>" + resource + "</bind></iq>");
  }

  Step on_bound(const Element& e) {
    if (e.ns == ns::kClient && e.attribute("id") != "bind") return {};  // not for us yet
    if (!e.is("iq", ns::kClient)) return unexpected(e);
    const Element* bound = e.child("bind", ns::kBind);
    if (e.attribute("type") != "result" || !bound || bound->child_text("jid", ns::kBind).empty())
      return failed(Kind::conflict, "bind", "the server did not bind the resource of `jid`");
    session_.jid = bound->child_text("jid", ns::kBind);
    if (!offers_sm_) return {Step::Next::ready};
    state_ = &ClientLogin::on_enabled;
    return send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
  }

  Step on_enabled(const Element& e) {
    if (e.ns == ns::kClient) return {};
    if (e.is("failed", ns::kSm)) return {Step::Next::ready};
    if (!e.is("enabled", ns::kSm)) return unexpected(e);
    session_.counts_stanzas = true;
    const std::string_view resume = e.attribute("resume");
    if (resume == "true" || resume == "1") session_.resume_id = e.attribute("id");
    return {Step::Next::ready};
  }

  const ClientCredentials c_;
  const Resumption previous_;
  Session session_;
  Step (ClientLogin::*state_)(const Element&) = &ClientLogin::on_features;
  std::optional<Scram> scram_;
  bool is_encrypted_ = false, is_authenticated_ = false, is_answered_ = false, offers_sm_ = false;
};

}  // namespace

std::unique_ptr<Login> make_client_login(ClientCredentials credentials, Resumption previous) {
  return std::make_unique<ClientLogin>(std::move(credentials), std::move(previous));
}

}  // namespace xmpp
