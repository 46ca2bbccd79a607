// The way out: answers in the order of their requests, bytes to the socket.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <utility>

#include "broker/api/http/connection.hpp"
#include "broker/api/problem.hpp"

namespace godwit::http {
namespace {

constexpr size_t kLargestIdleBuffer = 64 * 1024;
constexpr int64_t kLingerNs = 2 * kNsPerSecond;

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

}  // namespace

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
      if (sending_.capacity() > kLargestIdleBuffer) sending_.shrink_to_fit();
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

}  // namespace godwit::http
