// The way in: bytes from the socket, requests to the handler.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <utility>

#include "broker/api/http/connection.hpp"
#include "broker/api/problem.hpp"

namespace godwit::http {
namespace {

constexpr size_t kFirstBuffer = 4 * 1024, kIdleBuffer = 16 * 1024, kLargestBuffer = 64 * 1024;

bool is_sane_request_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
           c == '.' || c == ':';
  });
}

}  // namespace

void Connection::read() {
  if (reading_ || closed_) return;
  if (lingering_) in_begin_ = in_end_ = 0;  // thrown away
  if (in_begin_ == in_end_) {
    in_begin_ = in_end_ = 0;
    if (in_.empty()) in_.resize(kFirstBuffer);
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

}  // namespace godwit::http
