#include "broker/net/h2_connection.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace godwit::net {

using Fault = HttpResponse::Fault;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr size_t kRecord = 16 << 10;            // what TLS takes as one record, and a write to the socket
constexpr int kReadsInARow = 64;                // then the other connections have their turn
constexpr int32_t kConnectionWindow = 4 << 20;  // answers of all streams together; each has 64 KiB
constexpr uint32_t kMostStreams = 4096;         // for servers that name no limit
constexpr milliseconds kQuietBeforePing{
    1000};  // a request timed out and nothing came for so long: ask whether it lives

nghttp2_nv pair_of(std::string_view name, std::string_view value, bool index) {
  const auto bytes = [](std::string_view s) { return reinterpret_cast<uint8_t*>(const_cast<char*>(s.data())); };
  return {bytes(name), bytes(value), name.size(), value.size(),
          static_cast<uint8_t>(index ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX)};
}

std::string_view text_of(const uint8_t* bytes, size_t length) {
  return {reinterpret_cast<const char*>(bytes), length};
}

bool is_interim(const HttpResponse& r) {
  return r.status >= 100 && r.status < 200;
}

}  // namespace

// What nghttp2 calls. Exceptions (no memory) must not pass through C: noexcept ends the process instead.
struct H2Callbacks {
  static H2Connection& self(void* user) { return *static_cast<H2Connection*>(user); }
  static H2Exchange* exchange(nghttp2_session* session, int32_t stream) {
    return static_cast<H2Exchange*>(nghttp2_session_get_stream_user_data(session, stream));
  }

  static int on_header(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name, size_t name_length,
                       const uint8_t* value, size_t value_length, uint8_t, void* user) noexcept {
    H2Exchange* x = exchange(session, frame->hd.stream_id);
    if (!x) return 0;
    x->header_bytes += name_length + value_length + 32;
    const uint32_t most = self(user).options_.max_header_bytes;
    if (x->header_bytes > most) {
      x->spoilt = "the answer's header is longer than " + std::to_string(most) + " bytes";
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // nghttp2 resets the stream
    }
    const std::string_view n = text_of(name, name_length), v = text_of(value, value_length);
    if (n == ":status") {
      x->response.headers.clear();  // of an interim answer
      x->response.headers.reserve(8);
      x->response.status = std::atoi(std::string(v).c_str());
    } else if (!n.starts_with(':')) {
      x->response.headers.emplace_back(n, v);
    }
    return 0;
  }

  static int on_data(nghttp2_session* session, uint8_t, int32_t stream, const uint8_t* data, size_t length,
                     void* user) noexcept {
    H2Exchange* x = exchange(session, stream);
    if (!x || !x->spoilt.empty()) return 0;
    const uint32_t most = self(user).options_.max_body_bytes;
    if (x->response.body.size() + length > most) {
      x->spoilt = "the answer's body is longer than " + std::to_string(most) + " bytes";
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
      return 0;
    }
    x->response.body.append(text_of(data, length));
    return 0;
  }

  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) noexcept {
    H2Connection& c = self(user);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
      case NGHTTP2_DATA:
        if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
          if (H2Exchange* x = exchange(session, frame->hd.stream_id)) x->complete = true;
        break;
      case NGHTTP2_SETTINGS:
        if (!(frame->hd.flags & NGHTTP2_FLAG_ACK) && c.phase_ == H2Connection::Phase::dialling) {
          c.phase_ = H2Connection::Phase::open;
          c.was_open_ = true;
          c.born_ = c.idle_since_ = steady_clock::now();  // a long handshake makes it neither old nor idle
        }
        break;
      case NGHTTP2_PING:
        if (frame->hd.flags & NGHTTP2_FLAG_ACK) c.ping_sent_ = {};
        break;
      case NGHTTP2_GOAWAY: {
        const nghttp2_goaway& g = frame->goaway;
        c.goodbye_ = std::string("the server said GOAWAY: ") + nghttp2_http2_strerror(g.error_code);
        if (g.opaque_data_len) c.goodbye_ += ' ';
        for (const char byte : text_of(g.opaque_data, std::min<size_t>(g.opaque_data_len, 256)))
          c.goodbye_ += byte >= ' ' && byte < 0x7f ? byte : '?';
        c.phase_ = H2Connection::Phase::draining;
        c.goaway_received_ = true;
        ++c.tally_.goaways;
        break;
      }
      default:
        break;
    }
    return 0;
  }

  static int before_send(nghttp2_session* session, const nghttp2_frame* frame, void* user) noexcept {
    H2Connection& c = self(user);
    if (frame->hd.type == NGHTTP2_HEADERS)
      if (H2Exchange* x = exchange(session, frame->hd.stream_id))
        x->header_at = c.written_ + (c.out_.size() - c.out_at_);
    return 0;
  }

  // A header that nghttp2 was given and may not send any more: GOAWAY came in between. Its stream was never opened, so
  // no on_close follows.
  static int not_sent(nghttp2_session*, const nghttp2_frame* frame, int, void* user) noexcept {
    H2Connection& c = self(user);
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    for (H2Exchange& x : c.streams_)
      if (x.stream == frame->hd.stream_id) {
        c.set_unprocessed(x, c.goodbye_);
        break;
      }
    return 0;
  }

  static int on_close(nghttp2_session* session, int32_t stream, uint32_t code, void* user) noexcept {
    if (H2Exchange* x = exchange(session, stream)) self(user).stream_closed(*x, code);
    return 0;
  }

  static ssize_t read_body(nghttp2_session*, int32_t, uint8_t* into, size_t room, uint32_t* flags,
                           nghttp2_data_source* source, void*) noexcept {
    auto* x = static_cast<H2Exchange*>(source->ptr);
    const std::string& body = x->request.body;
    const size_t n = std::min(room, body.size() - x->body_read);
    std::memcpy(into, body.data() + x->body_read, n);
    x->body_read += n;
    if (x->body_read == body.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(n);
  }

  static const nghttp2_session_callbacks* table() {
    static nghttp2_session_callbacks* const made = [] {
      nghttp2_session_callbacks* t = nullptr;
      nghttp2_session_callbacks_new(&t);
      nghttp2_session_callbacks_set_on_header_callback(t, on_header);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(t, on_data);
      nghttp2_session_callbacks_set_on_frame_recv_callback(t, on_frame);
      nghttp2_session_callbacks_set_before_frame_send_callback(t, before_send);
      nghttp2_session_callbacks_set_on_frame_not_send_callback(t, not_sent);
      nghttp2_session_callbacks_set_on_stream_close_callback(t, on_close);
      return t;
    }();
    return made;
  }
};

H2Connection::H2Connection(const HttpPoolOptions& options, const H2Timing& timing, const Origin& origin,
                           std::unique_ptr<Transport> transport, SteadyTime now)
    : options_(options),
      timing_(timing),
      origin_(origin),
      transport_(std::move(transport)),
      connect_deadline_(now + milliseconds(options.connect_timeout_ms)),
      born_(now),
      heard_(now),
      idle_since_(now) {}

H2Connection::~H2Connection() {
  nghttp2_session_del(session_);
}

// ---- dialling --------------------------------------------------------------------------------------------------

void H2Connection::start(SteadyTime now) {
  go_on_dialling(now);
}

void H2Connection::go_on_dialling(SteadyTime now) {
  switch (transport_->step()) {
    case Transport::Status::again:
      return;
    case Transport::Status::failed:
      return die(Fault::io, transport_->error());
    case Transport::Status::ready:
      break;
  }
  const std::string protocol = transport_->protocol();
  if (origin_.tls && protocol != "h2") {
    speaks_http1_ = options_.versions == 0 || (options_.versions & 1) != 0;
    return die(Fault::io, "the server does not speak HTTP/2 (ALPN chose '" + protocol + "')");
  }
  open_session();
  flush(now);
}

void H2Connection::open_session() {
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_session_client_new2(&session_, H2Callbacks::table(), this, option);
  nghttp2_option_del(option);
  const std::array<nghttp2_settings_entry, 2> settings = {
      {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options_.max_header_bytes}}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

// ---- requests --------------------------------------------------------------------------------------------------

uint32_t H2Connection::limit() const {
  if (phase_ != Phase::open) return 0;
  const uint32_t theirs = nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  const uint32_t ours = options_.max_streams ? options_.max_streams : kMostStreams;
  return std::min(theirs, ours);
}

bool H2Connection::submit(H2Exchanges& from, H2Exchanges::iterator exchange) {
  H2Exchange& x = *exchange;
  const HttpRequest& r = x.request;
  const std::string authority = origin_.authority(), length = std::to_string(r.body.size());
  std::vector<nghttp2_nv> nva;
  nva.reserve(r.headers.size() + 5);
  nva.push_back(pair_of(":method", r.method, true));
  nva.push_back(pair_of(":scheme", origin_.tls ? "https" : "http", true));
  nva.push_back(pair_of(":authority", authority, true));
  nva.push_back(pair_of(":path", r.path, false));  // names people (tokens), and never twice the same
  for (const auto& [name, value] : r.headers) nva.push_back(pair_of(name, value, headers_.should_index(name, value)));
  if (!r.body.empty())
    nva.push_back(pair_of("content-length", length, headers_.should_index("content-length", length)));

  x.start_over();
  nghttp2_data_provider body{};
  body.source.ptr = &x;
  body.read_callback = H2Callbacks::read_body;
  const int32_t stream =
      nghttp2_submit_request(session_, nullptr, nva.data(), nva.size(), r.body.empty() ? nullptr : &body, &x);
  if (stream < 0) {
    if (stream != NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE) die(Fault::io, nghttp2_strerror(stream));
    return false;
  }
  x.stream = stream;
  streams_.splice(streams_.end(), from, exchange);
  x.place = exchange;
  return true;
}

void H2Connection::end(H2Exchange& exchange) {
  ended_.splice(ended_.end(), streams_, exchange.place);
  if (streams_.empty()) idle_since_ = steady_clock::now();
}

void H2Connection::end_answered(H2Exchange& exchange) {
  exchange.answer();
  answered_ = true;
  end(exchange);
}

// Asked after everything was read that had come: an answer may follow GOAWAY.
H2Connection::Tally H2Connection::take_tally() {
  const bool ended = goaway_received_ || phase_ == Phase::dead;
  if (ended && was_open_ && !answered_ && !drained_by_us_ && !turned_away_) tally_.turned_away = turned_away_ = true;
  return std::exchange(tally_, {});
}

void H2Connection::set_unprocessed(H2Exchange& exchange, const std::string& why) {
  exchange.fail(Delivery::not_sent, Fault::io, why);
  unprocessed_.splice(unprocessed_.end(), streams_, exchange.place);
  if (streams_.empty()) idle_since_ = steady_clock::now();
}

void H2Connection::stream_closed(H2Exchange& x, uint32_t code) {
  if (!x.spoilt.empty()) {
    x.fail(Delivery::maybe_sent, Fault::io, x.spoilt);
    return end(x);
  }
  if (x.complete && x.response.status != 0 && !is_interim(x.response)) return end_answered(x);
  if (code == NGHTTP2_REFUSED_STREAM) {  // also how nghttp2 closes what is above GOAWAY's last id
    if (!goaway_received_) ++tally_.refused_streams;
    return set_unprocessed(x, goaway_received_ ? goodbye_ : "the server refused the stream");
  }
  x.fail(Delivery::maybe_sent, Fault::io, std::string("the server reset the stream: ") + nghttp2_http2_strerror(code));
  end(x);
}

void H2Connection::abandon(H2Exchanges::iterator exchange, Fault fault, const std::string& why) {
  H2Exchange& x = *exchange;
  const SteadyTime now = steady_clock::now();
  nghttp2_session_set_stream_user_data(session_, x.stream, nullptr);
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, x.stream, NGHTTP2_CANCEL);
  x.fail(left(x) ? Delivery::maybe_sent : Delivery::not_sent, fault, why);
  end(x);
  if (fault == Fault::timeout && ping_sent_ == SteadyTime{} && now - heard_ > kQuietBeforePing) {
    nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
    ping_sent_ = now;
  }
}

// ---- bytes -----------------------------------------------------------------------------------------------------

void H2Connection::ready(bool readable, SteadyTime now) {
  if (phase_ == Phase::dead) return;
  if (!session_) return go_on_dialling(now);
  if (readable) read_all(now);
  if (phase_ != Phase::dead) flush(now);
}

void H2Connection::read_all(SteadyTime now) {
  std::array<char, kRecord> bytes;
  more_to_read_ = false;
  for (int i = 0; i < kReadsInARow; ++i) {
    const long got = transport_->read(bytes);
    if (got == 0) return maybe_say_goodbye();
    if (got < 0) return die(Fault::io, transport_->error());
    heard_ = now;
    const ssize_t taken =
        nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<size_t>(got));
    if (taken < 0)
      return die(Fault::io,
                 std::string("the server broke the rules of HTTP/2: ") + nghttp2_strerror(static_cast<int>(taken)));
  }
  more_to_read_ = true;  // TLS may hold what epoll does not know of
  maybe_say_goodbye();
}

void H2Connection::maybe_say_goodbye() {
  if (phase_ != Phase::draining || !streams_.empty() || goodbye_said_) return;
  goodbye_said_ = true;
  nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
}

bool H2Connection::wants_write() const {
  if (phase_ == Phase::dead) return false;
  if (!session_) return transport_->wants_write();
  return out_at_ < out_.size();
}

// A server that closes while we still write has often said why just before, and which requests it had not looked at.
void H2Connection::die_after_reading(SteadyTime now) {
  const std::string why = transport_->error();
  read_all(now);
  die(Fault::io, why);
}

void H2Connection::flush(SteadyTime now) {
  if (phase_ == Phase::dead || !session_) return;
  maybe_say_goodbye();
  while (true) {
    if (out_at_ == out_.size()) {
      out_.clear();
      out_at_ = 0;
      while (out_.size() < kRecord) {
        const uint8_t* frame = nullptr;
        const ssize_t length = nghttp2_session_mem_send(session_, &frame);
        if (length < 0) return die(Fault::io, nghttp2_strerror(static_cast<int>(length)));
        if (length == 0) break;
        out_.append(text_of(frame, static_cast<size_t>(length)));
      }
      if (out_.empty()) break;
    }
    const long put = transport_->write(std::string_view(out_).substr(out_at_, kRecord));
    if (put == 0) return;
    if (put < 0) return die_after_reading(now);
    out_at_ += static_cast<size_t>(put);
    written_ += static_cast<uint64_t>(put);
  }
  if (!nghttp2_session_want_read(session_) && !nghttp2_session_want_write(session_)) {
    transport_->say_goodbye();
    die(Fault::io, goodbye_said_ ? "the connection was closed" : "the server broke the rules of HTTP/2");
  }
}

// ---- time and end ------------------------------------------------------------------------------------------------

SteadyTime H2Connection::next_timer() const {
  if (phase_ == Phase::dead) return SteadyTime::max();
  if (phase_ == Phase::dialling) return connect_deadline_;
  if (more_to_read_) return SteadyTime::min();
  SteadyTime next = SteadyTime::max();
  if (ping_sent_ != SteadyTime{})
    next = ping_sent_ + timing_.ping_patience;
  else if (options_.ping_interval_ms)
    next = heard_ + milliseconds(options_.ping_interval_ms);
  if (phase_ == Phase::open) {
    next = std::min(next, born_ + timing_.max_age);
    if (streams_.empty()) next = std::min(next, idle_since_ + milliseconds(options_.idle_timeout_ms));
  }
  return next;
}

void H2Connection::run_timers(SteadyTime now) {
  if (phase_ == Phase::dead) return;
  if (phase_ == Phase::dialling) {
    if (now >= connect_deadline_) {
      const std::string why =
          "no connection to " + origin_.authority() + " within " + std::to_string(options_.connect_timeout_ms) + " ms";
      return die(Fault::timeout, transport_->error().empty() ? why : why + " (" + transport_->error() + ")");
    }
    return;
  }
  if (more_to_read_) return ready(true, now);
  if (ping_sent_ != SteadyTime{}) {
    if (now - ping_sent_ >= timing_.ping_patience) {
      ++tally_.lost_pings;
      return die(Fault::timeout, "the connection is dead: a PING was not answered within " +
                                     std::to_string(timing_.ping_patience.count()) + " ms");
    }
  } else if (options_.ping_interval_ms && now - heard_ >= milliseconds(options_.ping_interval_ms)) {
    nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
    ping_sent_ = now;
  }
  if (phase_ == Phase::open) {
    if (now - born_ >= timing_.max_age)
      drain(now, "it was old");
    else if (streams_.empty() && now - idle_since_ >= milliseconds(options_.idle_timeout_ms))
      drain(now, "it was idle");
  }
  flush(now);
}

void H2Connection::drain(SteadyTime now, const char* why) {
  if (phase_ != Phase::open) {
    if (phase_ == Phase::dialling) die(Fault::io, why);
    return;
  }
  phase_ = Phase::draining;
  drained_by_us_ = true;
  why_ = why;
  flush(now);
}

void H2Connection::die(Fault fault, const std::string& why) {
  if (phase_ == Phase::dead) return;
  phase_ = Phase::dead;
  was_lost_ = was_open_ && !streams_.empty();
  why_ = goodbye_.empty() ? why : goodbye_ + "; then " + why;
  while (!streams_.empty()) {
    H2Exchange& x = streams_.front();
    if (x.complete && x.spoilt.empty()) {
      end_answered(x);
    } else if (left(x)) {
      x.fail(Delivery::maybe_sent, fault, why_);
      end(x);
    } else {
      set_unprocessed(x, why_);
    }
  }
}

}  // namespace godwit::net
