// The life of a connection: beginning, time, end. connection_read.cpp has its way in, connection_write.cpp its way out.
#include "broker/api/http/connection.hpp"

#include <utility>

namespace godwit::http {
namespace {

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
  idle_since_ns_ = home_->clock().mono_ns();
  home_->add(shared_from_this());
  if (home_->draining()) return close();
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

}  // namespace godwit::http
