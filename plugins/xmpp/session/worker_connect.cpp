// From nothing to a stream that carries stanzas, and back.
#include <godwit/services/blocking.hpp>

#include "plugins/xmpp/login/crypto.hpp"
#include "plugins/xmpp/session/worker.hpp"

namespace xmpp {
namespace {

LinkFault network(std::string code, std::string text) {
  return {LinkFault::Kind::network, std::move(code), std::move(text)};
}

}  // namespace

// What time brings.
void Worker::advance() {
  if (phase_ == Phase::waiting) {
    if (!password_.empty() && now_ns_ >= next_try_ns_) try_connect();
    return;
  }
  if (phase_ != Phase::up) {
    if (now_ns_ >= give_up_ns_) cut(network("timeout", "no stream within 15 s"));
    return;
  }
  if (asked_at_ns_ != 0 && now_ns_ > asked_at_ns_ + kAnswerNs) {
    // Prosody 0.12.3 may swallow all that follows a resumption when the stream before was cut inside a stanza: resumed
    // once more, it would be silent for ever.
    if (session_.is_resumed && !has_answered_) resumption_ = {};
    return cut(network("silent", "the server has not answered for 20 s"));
  }
  if (asked_at_ns_ == 0 && now_ns_ > heard_at_ns_ + kIdleNs) ask();
}

void Worker::try_connect() {
  give_up_ns_ = now_ns_ + kSignInNs;
  if (settings_.tls != TlsMode::off && !tls_) {
    std::string error;
    tls_ = TlsContext::make(settings_.ca_file, error);
    if (!tls_) return cut({LinkFault::Kind::configuration, "ca_file", error});
  }
  std::string error;
  auto numeric = resolve(settings_.server, true, error);
  if (!numeric.empty()) return use_addresses(std::move(numeric), {});
  phase_ = Phase::resolving;
  struct Answer {
    std::vector<Address> addresses;
    std::string error;
  };
  auto answer = std::make_shared<Answer>();
  godwit::run_blocking(
      host_, [answer, server = settings_.server] { answer->addresses = resolve(server, false, answer->error); },
      [this, answer](int32_t status) {
        post([&](Mail& mail) {
          mail.resolve_error = status == GW_OK ? answer->error : "the host has no room for a look-up";
          mail.addresses = std::move(answer->addresses);
        });
      });
}

void Worker::use_addresses(std::vector<Address> addresses, const std::string& error) {
  if (phase_ != Phase::resolving && phase_ != Phase::waiting) return;  // it was given up meanwhile
  if (addresses.empty())
    return cut(network("resolve", "`server` " + settings_.server + " cannot be resolved: " + error));
  addresses_ = std::move(addresses);
  try_next_address();
}

void Worker::try_next_address() {
  const Address address = addresses_.front();
  addresses_.erase(addresses_.begin());
  phase_ = Phase::connecting;
  const auto begun = connection_.begin(address);
  if (begun == Connection::Io::done) return sign_in();
  if (begun == Connection::Io::closed)
    addresses_.empty() ? cut(network("connect", settings_.server + ": " + connection_.error())) : try_next_address();
}

void Worker::connected() {
  const auto done = connection_.finish();
  if (done == Connection::Io::done) return sign_in();
  if (!addresses_.empty()) return try_next_address();
  cut(network("connect", settings_.server + ": " + connection_.error()));
}

void Worker::sign_in() {
  if (settings_.mode == Mode::component) {
    login_ = make_component_login(settings_.jid.domain, password_);
    if (settings_.tls == TlsMode::required) {  // the listener speaks TLS from the first byte
      connection_.begin_tls(*tls_, host_of(settings_.server));
      phase_ = Phase::encrypting;
      return shake_hands();
    }
  } else {
    login_ = make_client_login({settings_.jid, password_, settings_.tls, random_hex(16)}, resumption_);
  }
  begin_stream();
}

void Worker::begin_stream() {
  phase_ = Phase::signing_in;
  is_restarted_ = true;
  parser_.restart();
  out_ += login_->header();
  flush();
}

void Worker::shake_hands() {
  switch (connection_.handshake()) {
    case Connection::Io::again:
      return;
    case Connection::Io::done:
      return begin_stream();
    case Connection::Io::closed:
      return cut({connection_.is_untrusted() ? LinkFault::Kind::configuration : LinkFault::Kind::network, "tls",
                  connection_.error()});
  }
}

void Worker::take_step(const Step& step) {
  out_ += step.send;
  switch (step.next) {
    case Step::Next::wait:
      return flush();
    case Step::Next::restart:
      return begin_stream();
    case Step::Next::start_tls:
      connection_.begin_tls(*tls_, settings_.jid.domain);
      phase_ = Phase::encrypting;
      is_restarted_ = true;
      return shake_hands();
    case Step::Next::failed:
      return cut(step.fault);
    case Step::Next::ready:
      return went_up();
  }
}

void Worker::went_up() {
  session_ = login_->session();
  login_.reset();
  phase_ = Phase::up;
  heard_at_ns_ = now_ns_;
  asked_at_ns_ = 0;
  has_answered_ = false;
  backoff_.succeeded();
  barrier_ = std::string(kBarrierId) + random_hex(6) + "-";
  totals_.sessions.add();
  totals_.is_up.set(1);
  if (session_.knows_handled && !confirmed_count(session_.handled)) return;
  if (session_.is_resumed) {
    totals_.resumptions.add();
    send_again();
  } else {
    requeue();
    sent_ = confirmed_ = asked_ = 0;
    resumption_ = {session_.resume_id, 0};
    if (settings_.mode == Mode::client) write_stanza("<presence><priority>-1</priority></presence>", 0);
    if (!is_first_session_) start_presence_anew();
  }
  is_first_session_ = false;
  host_.set_state(GW_STATE_READY);
  host_.info(session_.is_resumed ? "the XMPP stream is resumed" : "the XMPP stream is up",
             {{"server", settings_.server}, {"jid", session_.jid}});
}

// The link is gone, or could not be had.
void Worker::cut(LinkFault fault) {
  const bool was_up = phase_ == Phase::up;
  const uint64_t written = out_begin_;
  connection_.close();
  parser_.restart();
  login_.reset();
  phase_ = Phase::waiting;
  last_fault_ = fault.kind;
  out_.clear();
  control_.clear();
  out_begin_ = 0;
  totals_.is_up.set(0);
  if (was_up) {
    totals_.cuts.add();
    for (const Sent& s : unacked_)
      if (Flight* f = flights_.find(s.ticket); f && f->begin < written) f->may_have_left = true;
    if (resumption_.id.empty()) requeue();  // else the server may still say what it has
  }
  const uint64_t wait_ms = backoff_.next(fault.kind);
  next_try_ns_ = now_ns_ + wait_ms * kMs;
  say_down(fault, wait_ms);
}

void Worker::say_down(const LinkFault& fault, uint64_t wait_ms) {
  const std::string text = fault.code + ": " + fault.text;
  const bool needs_operator = fault.kind == LinkFault::Kind::configuration;
  host_.set_state(needs_operator ? GW_STATE_FAILED : GW_STATE_DOWN, text);
  host_.log(needs_operator ? GW_LOG_ERROR : GW_LOG_WARN, "no XMPP stream: " + text,
            {{"server", settings_.server}, {"next_try_ms", std::to_string(wait_ms)}});
}

void Worker::hang_up() {
  if (phase_ == Phase::up) {
    out_ += "</stream:stream>";
    flush();
  }
  connection_.close();
}

}  // namespace xmpp
