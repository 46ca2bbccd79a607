#include "broker/api/http/connection.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <utility>

#include "broker/api/problem.hpp"

namespace godwit::http {
namespace {

constexpr size_t kFirstBuffer = 4 * 1024, kIdleBuffer = 16 * 1024, kLargestBuffer = 64 * 1024;
constexpr int64_t kLingerNs = 2 * kNsPerSecond;

bool is_sane_request_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
           c == '.' || c == ':';
  });
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  const size_t from = out.size();
  out += value;
  // A line break from a vendor's words would begin a header of its own.
  std::replace_if(
      out.begin() + static_cast<ptrdiff_t>(from), out.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; },
      ' ');
  out += "\r\n";
}

void append_chunk(std::string& out, std::string_view piece) {
  constexpr std::string_view kHex = "0123456789abcdef";
  char size[16];
  size_t at = sizeof size;
  for (size_t n = piece.size(); n; n >>= 4) size[--at] = kHex[n & 15];
  out.append(size + at, sizeof size - at);
  out += "\r\n";
  out += piece;
  out += "\r\n";
}

ParserLimits parser_limits(const ApiLimits& limits) {
  return {limits.header_bytes, limits.body_bytes, 100};
}

}  // namespace

Connection::Connection(Socket socket, Peer peer, std::shared_ptr<IoThread> home, std::shared_ptr<ServerState> server)
    : socket_(std::move(socket)),
      peer_(peer),
      home_(std::move(home)),
      server_(std::move(server)),
      parser_(parser_limits(server_->limits)) {}

void Connection::start() {
  boost::system::error_code ignored;
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  in_.resize(kFirstBuffer);
  idle_since_ns_ = home_->clock().mono_ns();
  home_->add(shared_from_this());
  if (home_->draining()) return close();
  read();
}

// ---- bytes in --------------------------------------------------------------------------------------------------

void Connection::read() {
  if (reading_ || closed_) return;
  if (lingering_) in_begin_ = in_end_ = 0;  // thrown away
  if (in_begin_ == in_end_) {
    in_begin_ = in_end_ = 0;
    if (!parser_.began() && in_.size() > kIdleBuffer) {  // an idle connection holds little
      in_.resize(kFirstBuffer);
      in_.shrink_to_fit();
    }
  }
  if (in_end_ == in_.size()) {
    if (in_begin_ > 0) {
      std::copy(in_.begin() + static_cast<ptrdiff_t>(in_begin_), in_.begin() + static_cast<ptrdiff_t>(in_end_),
                in_.begin());
      in_end_ -= in_begin_;
      in_begin_ = 0;
    } else {
      in_.resize(in_.size() * 2);  // a header or a chunk's header: the parser refuses longer ones
    }
  }
  reading_ = true;
  socket_.async_read_some(boost::asio::buffer(in_.data() + in_end_, in_.size() - in_end_),
                          [self = shared_from_this()](const boost::system::error_code& ec, size_t n) {
                            self->reading_ = false;
                            if (self->closed_) return;
                            if (ec && ec != boost::asio::error::eof)
                              self->close();
                            else
                              self->on_read(n, static_cast<bool>(ec));
                            self->home_->flush();
                          });
}

void Connection::on_read(size_t n, bool eof) {
  if (eof) {
    // Answers that are on their way still go out, for callers that close their side after the last request; whoever
    // follows a stream or a long poll is gone.
    const bool followed = std::any_of(exchanges_.begin(), exchanges_.end(),
                                      [](const Exchange& e) { return e.watcher && e.stage != Stage::finished; });
    if (lingering_ || followed) return close();
    input_over_ = true;
    close_when_sent_ = true;
    return queue_flush();
  }
  if (lingering_) return read();
  in_end_ += n;
  if (streaming_body_) message_start_ns_ = home_->clock().mono_ns();
  // Large bodies deserve large reads.
  if (in_end_ == in_.size() && in_.size() < kLargestBuffer) in_.resize(in_.size() * 2);
  take_input();
}

bool Connection::paused() const {
  if (exchanges_.size() >= server_->limits.pipeline && !streaming_body_) return true;
  if (out_.size() + sending_.size() - sent_ > server_->limits.unread_answers_bytes) return true;
  if (!streaming_body_) return false;
  const Exchange* exchange = find(body_exchange_);
  return exchange && exchange->watcher && !exchange->watcher->wants_data();
}

void Connection::take_input() {
  if (taking_ || lingering_) return;
  taking_ = true;
  while (!closed_ && !input_over_ && !paused()) {
    if (!parser_.began() && in_begin_ == in_end_) break;
    if (!parser_.began()) begin_message();
    size_t used = 0;
    const ParseStep step = parser_.read({in_.data() + in_begin_, in_end_ - in_begin_}, used);
    in_begin_ += used;
    if (step == ParseStep::header)
      on_header();
    else if (step == ParseStep::data)
      on_data();
    else if (step == ParseStep::done)
      on_message();
    else if (step == ParseStep::refused)
      on_refused();
    else
      break;
  }
  taking_ = false;
  if (!closed_ && !input_over_ && !paused()) read();
}

void Connection::begin_message() {
  message_start_ns_ = home_->clock().mono_ns();
}

uint64_t Connection::open_exchange() {
  Exchange& exchange = exchanges_.emplace_back();
  exchange.request_id = current_id_;
  exchange.http11 = parser_.http11();
  exchange.head = parser_.header_done() && parser_.request().method == Method::head;
  exchange.keep_alive = parser_.keep_alive();
  return first_id_ + exchanges_.size() - 1;
}

void Connection::on_header() {
  server_->counters.requests.fetch_add(1, std::memory_order_relaxed);
  Request& request = parser_.request();
  request.peer = &peer_;
  if (is_sane_request_id(request.id))
    current_id_.assign(request.id);
  else
    current_id_ = home_->make_request_id();
  request.id = current_id_;

  streaming_body_ = server_->handler->streams(request);
  const bool wants_100 = parser_.expects_continue() && parser_.has_body() && in_begin_ == in_end_ && exchanges_.empty();
  if (streaming_body_ && !begin_stream(request)) return;  // refused: the body need not come
  if (wants_100) {
    out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    queue_flush();
  }
}

// False when the handler answered at once.
bool Connection::begin_stream(const Request& request) {
  parser_.stream_body();
  const uint64_t id = body_exchange_ = open_exchange();
  const bool keep_alive = std::exchange(find(id)->keep_alive, !parser_.has_body());  // a refusal leaves a body unread
  try {
    server_->handler->on_stream(request, Reply(shared_from_this(), id));
  } catch (...) {  // the Reply died on the way and answers 500
  }
  Exchange* exchange = find(id);
  if (!exchange || exchange->stage != Stage::waiting) return false;
  exchange->keep_alive = keep_alive;
  return true;
}

void Connection::on_data() {
  const Exchange* exchange = find(body_exchange_);
  if (!exchange || exchange->stage == Stage::finished || !exchange->watcher) {
    // Answered before the end of its body: what follows is of no use, and where it ends is not worth waiting for.
    input_over_ = true;
    close_when_sent_ = true;
    return queue_flush();
  }
  const std::shared_ptr<Watcher> watcher = exchange->watcher;
  watcher->on_data(parser_.piece());
}

void Connection::on_message() {
  const bool last = !parser_.keep_alive();
  if (streaming_body_) {
    streaming_body_ = false;
    const Exchange* exchange = find(body_exchange_);
    if (exchange && exchange->watcher) {
      const std::shared_ptr<Watcher> watcher = exchange->watcher;
      watcher->on_end();
    }
  } else {
    const uint64_t id = open_exchange();
    try {
      server_->handler->on_request(parser_.request(), Reply(shared_from_this(), id));
    } catch (...) {  // the Reply died on the way and answers 500
    }
  }
  parser_.next();
  if (last) input_over_ = true;
  if (exchanges_.empty()) idle_since_ns_ = home_->clock().mono_ns();
}

void Connection::on_refused() {
  refuse(parser_.status(), parser_.reason());
}

// An answer to what could not be read as a request; the connection ends with it.
void Connection::refuse(int status, std::string_view reason) {
  input_over_ = true;
  if (streaming_body_) return close();  // an answer is under way already
  if (!parser_.header_done()) {
    current_id_ = home_->make_request_id();
    server_->counters.requests.fetch_add(1, std::memory_order_relaxed);
  }
  const uint64_t id = open_exchange();
  find(id)->keep_alive = false;
  const auto kinds = all_problem_kinds();
  const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const ProblemKind& k) { return k.status == status; });
  send(id, problem(kind == kinds.end() ? problem_kinds::bad_request : *kind, reason));
}

// ---- bytes out -------------------------------------------------------------------------------------------------

Connection::Exchange* Connection::find(uint64_t id) {
  return id < first_id_ || id - first_id_ >= exchanges_.size() ? nullptr : &exchanges_[id - first_id_];
}
const Connection::Exchange* Connection::find(uint64_t id) const {
  return const_cast<Connection*>(this)->find(id);
}

std::string& Connection::sink(uint64_t id, Exchange& exchange) {
  return id == first_id_ ? out_ : exchange.early;
}

void Connection::append_head(std::string& out, const Exchange& exchange, uint64_t id, const Response& response,
                             bool chunked) {
  out += "HTTP/1.1 ";
  const int status = std::clamp(response.status, 200, 599);  // a plugin chooses what a vendor's callback answers
  out += std::to_string(status);
  out += ' ';
  out += reason_phrase(status);
  out += "\r\nDate: ";
  out += home_->date();
  out += "\r\nX-Request-Id: ";
  out += exchange.request_id;
  out += "\r\n";
  if (!response.content_type.empty()) append_field(out, "Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) append_field(out, name, value);
  if (chunked) {
    out += "Transfer-Encoding: chunked\r\n";
  } else if (exchange.stage == Stage::waiting && status != 204) {  // else: a stream that ends with the connection
    out += "Content-Length: ";
    out += std::to_string(response.body.size());
    out += "\r\n";
  }
  const bool is_last = id == first_id_ + exchanges_.size() - 1;
  if (!exchange.keep_alive || (home_->draining() && is_last && !parser_.began()))
    out += "Connection: close\r\n";
  else if (!exchange.http11)
    out += "Connection: keep-alive\r\n";
  out += "\r\n";
  server_->counters.count_answer(status);
}

void Connection::send(uint64_t id, Response response) {
  Exchange* exchange = find(id);
  if (closed_ || !exchange || exchange->stage != Stage::waiting) return;
  std::string& out = sink(id, *exchange);
  append_head(out, *exchange, id, response, false);
  if (!exchange->head && response.status != 204) out += response.body;
  exchange->stage = Stage::finished;
  advance();
}

void Connection::begin(uint64_t id, int status, std::string_view content_type) {
  Exchange* exchange = find(id);
  if (closed_ || !exchange || exchange->stage != Stage::waiting) return;
  exchange->chunked = exchange->http11;
  if (!exchange->chunked) exchange->keep_alive = false;
  exchange->stage = Stage::streaming;
  Response head;
  head.status = status;
  head.content_type = content_type;
  head.headers.emplace_back("Cache-Control", "no-store");
  append_head(sink(id, *exchange), *exchange, id, head, exchange->chunked);
  queue_flush();
}

void Connection::write(uint64_t id, std::string_view piece) {
  Exchange* exchange = find(id);
  if (closed_ || !exchange || exchange->stage != Stage::streaming || piece.empty() || exchange->head) return;
  std::string& out = sink(id, *exchange);
  if (exchange->chunked)
    append_chunk(out, piece);
  else
    out += piece;
  queue_flush();
}

void Connection::finish(uint64_t id) {
  Exchange* exchange = find(id);
  if (closed_ || !exchange || exchange->stage != Stage::streaming) return;
  if (exchange->chunked && !exchange->head) sink(id, *exchange) += "0\r\n\r\n";
  exchange->stage = Stage::finished;
  advance();
}

void Connection::abandon(uint64_t id) {
  const Exchange* exchange = find(id);
  if (closed_ || !exchange || exchange->stage == Stage::finished) return;
  if (exchange->stage == Stage::streaming) return close();  // the caller must not take the rest for the whole
  send(id, problem(problem_kinds::internal, "the request was dropped without an answer; it may have been carried out"));
  home_->flush();
}

// Moves finished answers to the socket's side, in order.
void Connection::advance() {
  bool popped = false;
  while (!exchanges_.empty()) {
    Exchange& front = exchanges_.front();
    if (!front.early.empty()) {
      out_ += front.early;
      front.early.clear();
    }
    if (front.stage != Stage::finished) break;
    if (!front.keep_alive) {
      input_over_ = true;
      close_when_sent_ = true;
    }
    const std::shared_ptr<Watcher> watcher = std::move(front.watcher);
    exchanges_.pop_front();
    ++first_id_;
    popped = true;
    if (watcher) watcher->on_closed();
  }
  if (popped && exchanges_.empty()) {
    idle_since_ns_ = home_->clock().mono_ns();
    if (home_->draining() && !parser_.began()) close_when_sent_ = true;
  }
  queue_flush();
}

void Connection::queue_flush() {
  if (flush_queued_ || closed_) return;
  flush_queued_ = true;
  home_->needs_flush(shared_from_this());
}

void Connection::flush() {
  flush_queued_ = false;
  if (closed_ || write_waits_) return;
  while (true) {
    if (sent_ == sending_.size()) {
      sending_.clear();
      sent_ = 0;
      if (sending_.capacity() > kLargestBuffer) sending_.shrink_to_fit();
      if (out_.empty()) break;
      sending_.swap(out_);
      sent_at_ns_ = home_->clock().mono_ns();
    }
    boost::system::error_code ec;
    const size_t n = socket_.write_some(boost::asio::buffer(sending_.data() + sent_, sending_.size() - sent_), ec);
    if (ec == boost::asio::error::would_block) {
      write_waits_ = true;
      socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const boost::system::error_code& error) {
        self->write_waits_ = false;
        if (self->closed_) return;
        if (error) return self->close();
        self->flush();
        self->home_->flush();
      });
      break;
    }
    if (ec) return close();
    sent_ += n;
    sent_at_ns_ = home_->clock().mono_ns();
  }
  if (out_.empty() && sending_.empty() && close_when_sent_ && exchanges_.empty()) return all_sent();
  // What made reading stop may have gone.
  if (!taking_ && !reading_ && !input_over_ && !paused()) take_input();
}

void Connection::all_sent() {
  if (parser_.began() || in_begin_ != in_end_) return linger();
  close();
}

// Bytes that we will not read may still be on their way; closing now would reset the connection and take the answer
// away from a caller who has not read it yet.
void Connection::linger() {
  if (lingering_) return;
  lingering_ = true;
  linger_until_ns_ = home_->clock().mono_ns() + kLingerNs;
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  read();
}

void Connection::close() {
  if (closed_) return;
  const std::shared_ptr<Connection> self = shared_from_this();
  closed_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
  const auto leaving = watchers();
  exchanges_.clear();
  for (const auto& watcher : leaving) watcher->on_closed();
  server_->gate.leave(peer_.ip);
  home_->remove(self);
}

// ---- time, and the end -----------------------------------------------------------------------------------------

std::vector<std::shared_ptr<Watcher>> Connection::watchers() const {
  std::vector<std::shared_ptr<Watcher>> out;
  for (const Exchange& exchange : exchanges_)
    if (exchange.watcher) out.push_back(exchange.watcher);
  return out;
}

void Connection::tick(MonoNs now) {
  if (closed_) return;
  const ApiLimits& limits = server_->limits;
  const auto over = [&](MonoNs since, int64_t limit_ms) { return now - since > limit_ms * kNsPerMs; };
  if (lingering_) {
    if (now > linger_until_ns_) close();
    return;
  }
  if (sent_ < sending_.size() && over(sent_at_ns_, limits.write_timeout_ms)) return close();
  if (parser_.began() && !input_over_) {
    if (paused())
      message_start_ns_ = now;  // it is us who do not read
    else if (over(message_start_ns_, limits.read_timeout_ms))
      return refuse(408, "the request did not arrive within " + std::to_string(limits.read_timeout_ms / 1000) +
                             " s; send it faster or in smaller pieces");
  } else if (exchanges_.empty() && out_.empty() && sending_.empty() && over(idle_since_ns_, limits.idle_timeout_ms)) {
    return close();
  }
  for (const auto& watcher : watchers()) watcher->on_tick(now);
}

void Connection::drain() {
  if (closed_ || lingering_) return;
  for (const auto& watcher : watchers()) watcher->on_drain();
  if (closed_ || parser_.began() || !exchanges_.empty()) return;
  close_when_sent_ = true;
  queue_flush();
}

// ---- Reply -----------------------------------------------------------------------------------------------------

void Connection::watch(uint64_t id, std::shared_ptr<Watcher> watcher) {
  Exchange* exchange = find(id);
  if (closed_ || !exchange || exchange->stage == Stage::finished)
    watcher->on_closed();
  else
    exchange->watcher = std::move(watcher);
}

void Connection::resume() {
  if (!closed_ && !taking_ && !reading_ && !input_over_) take_input();
}

size_t Connection::unsent_bytes(uint64_t id) const {
  const Exchange* exchange = find(id);
  return out_.size() + sending_.size() - sent_ + (exchange ? exchange->early.size() : 0);
}

bool Connection::is_open(uint64_t id) const {
  const Exchange* exchange = find(id);
  return !closed_ && exchange && exchange->stage != Stage::finished;
}

std::string_view Connection::request_id(uint64_t id) const {
  const Exchange* exchange = find(id);
  return exchange ? std::string_view(exchange->request_id) : std::string_view();
}

Reply::Reply(std::shared_ptr<Connection> connection, uint64_t exchange)
    : connection_(std::move(connection)), exchange_(exchange) {}

Reply& Reply::operator=(Reply&& other) noexcept {
  if (this == &other) return *this;
  abandon();
  connection_ = std::move(other.connection_);
  exchange_ = other.exchange_;
  return *this;
}

Reply::~Reply() {
  abandon();
}

void Reply::abandon() noexcept {
  if (!connection_) return;
  try {
    const std::shared_ptr<IoThread> home = connection_->home();
    home->post([connection = std::move(connection_), id = exchange_] { connection->abandon(id); });
  } catch (...) {  // out of memory: the connection's caller times out
  }
}

void Reply::send(Response response) {
  if (const auto connection = std::move(connection_)) connection->send(exchange_, std::move(response));
}
void Reply::begin(int status, std::string_view content_type) {
  if (connection_) connection_->begin(exchange_, status, content_type);
}
void Reply::write(std::string_view piece) {
  if (connection_) connection_->write(exchange_, piece);
}
void Reply::finish() {
  if (const auto connection = std::move(connection_)) connection->finish(exchange_);
}
size_t Reply::unsent_bytes() const {
  return connection_ ? connection_->unsent_bytes(exchange_) : 0;
}
void Reply::watch(std::shared_ptr<Watcher> watcher) {
  if (connection_) connection_->watch(exchange_, std::move(watcher));
}
void Reply::resume() {
  if (connection_) connection_->resume();
}
bool Reply::open() const {
  return connection_ && connection_->is_open(exchange_);
}
std::string_view Reply::request_id() const {
  return connection_ ? connection_->request_id(exchange_) : std::string_view();
}
std::shared_ptr<Home> Reply::home() const {
  return connection_ ? connection_->home() : nullptr;
}

}  // namespace godwit::http
