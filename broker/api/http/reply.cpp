#include <utility>

#include "broker/api/http/connection.hpp"

namespace godwit::http {

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
