// Login is the way from a fresh connection to a stream that carries stanzas: events of the parser in, bytes to send and
// the next step out. No socket and no clock, so a test plays the server with literals.
//
// Made anew for each connection; one thread.
#pragma once

#include <memory>
#include <string>

#include "plugins/xmpp/xml/jid.hpp"
#include "plugins/xmpp/xml/stream_parser.hpp"

namespace xmpp {

enum class TlsMode : uint8_t { required, optional, off };

// Why a connection cannot be had or went away.
struct LinkFault {
  enum class Kind : uint8_t {
    network,        // try again soon
    conflict,       // somebody else is connected under this name: try again slowly
    configuration,  // needs an operator: try again rarely
  };
  Kind kind = Kind::network;
  std::string code;  // the server's word ("not-authorized") or ours ("connect")
  std::string text;  // for people: what, and what to do
};

// The stream error in `element` (RFC 6120 §4.9.3), sorted by what helps.
LinkFault stream_fault(const Element& element);

// What a client's resumable stream is known by (XEP-0198 §5).
struct Resumption {
  std::string id;        // empty: there is none
  uint32_t handled = 0;  // stanzas of the server that we have handled
};

struct Step {
  enum class Next : uint8_t { wait, start_tls, restart, ready, failed };
  Next next = Next::wait;
  std::string send = {};
  LinkFault fault = {};  // when failed
};

// What was agreed on; valid when ready.
struct Session {
  std::string jid;              // what we are called: the component's domain, or the client's full JID
  bool counts_stanzas = false;  // XEP-0198 is on
  bool is_resumed = false;
  std::string resume_id;       // empty: cannot be resumed
  bool knows_handled = false;  // `handled` is the server's count of the previous stream
  uint32_t handled = 0;
};

class Login {
 public:
  virtual ~Login() = default;
  // The header of a new stream: after connecting and after every start_tls and restart.
  virtual std::string header() = 0;
  virtual Step on(const StreamEvent& event) = 0;
  virtual const Session& session() const = 0;
};

// XEP-0114: a component on the server's component port.
std::unique_ptr<Login> make_component_login(std::string domain, std::string secret);

struct ClientCredentials {
  Jid jid;  // with a resource, or the server chooses one
  std::string password;
  TlsMode tls = TlsMode::required;
  std::string nonce;  // unguessable, printable, without a comma
};
// RFC 6120: STARTTLS, SASL SCRAM-SHA-256, SCRAM-SHA-1 or (inside TLS) PLAIN, binding; XEP-0198 where offered.
std::unique_ptr<Login> make_client_login(ClientCredentials credentials, Resumption previous);

}  // namespace xmpp
