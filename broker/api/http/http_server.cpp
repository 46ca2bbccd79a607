#include "broker/api/http/http_server.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "broker/api/http/connection.hpp"
#include "broker/api/problem.hpp"

namespace godwit::http {
namespace asio = boost::asio;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type>;
using boost::system::error_code;

namespace {

IpAddress address_of(const asio::ip::address& address) {
  if (address.is_v4()) return IpAddress::from_v4(address.to_v4().to_bytes());
  return IpAddress::from_v6(address.to_v6().to_bytes());
}

asio::ip::tcp::endpoint endpoint_of(const ListenAddress& listen) {
  if (!listen.ip.v4) return {asio::ip::address_v6(listen.ip.bytes), listen.port};
  asio::ip::address_v4::bytes_type four;
  std::copy_n(listen.ip.bytes.begin(), four.size(), four.begin());
  return {asio::ip::address_v4(four), listen.port};
}

Error cannot_listen(const std::string& where, const error_code& ec) {
  const std::string who = "http.listen: " + where;
  if (ec == asio::error::address_in_use)
    return {Code::conflict, who + " is in use by another process; stop it or change http.listen", "http.listen"};
  if (ec == asio::error::access_denied)
    return {Code::forbidden, who + " needs a right that this user lacks; use a port above 1023 or grant it",
            "http.listen"};
  if (ec == boost::system::errc::address_not_available)
    return {Code::invalid, who + " is not an address of this machine; change http.listen", "http.listen"};
  return {Code::io, who + " cannot be listened on: " + ec.message(), "http.listen"};
}

// What a caller over the connection limit gets, without a thread ever reading from it.
std::string refusal() {
  const Response answer = retry_later(problem_kinds::too_many, "too many connections; reuse the ones you have", 5);
  return "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nX-Request-Id: none\r\nRetry-After: "
         "5\r\nContent-Type: " +
         std::string(answer.content_type) + "\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" +
         answer.body;
}

}  // namespace

struct HttpServer::Impl {
  std::shared_ptr<ServerState> state;
  std::vector<std::shared_ptr<IoThread>> threads;
  std::vector<std::unique_ptr<Acceptor>> acceptors;  // home: the first thread, after start
  std::vector<std::unique_ptr<asio::steady_timer>> retries;
  std::vector<uint16_t> ports;
  size_t next_thread = 0;
  bool closed = false;  // first thread only

  Result<void> listen(const std::string& where) {
    const auto parsed = ListenAddress::parse(where);
    if (!parsed) return Error{Code::invalid, "http.listen: " + parsed.error().message, "http.listen"};
    const auto endpoint = endpoint_of(*parsed);
    auto acceptor = std::make_unique<Acceptor>(threads.front()->context());
    error_code ec;
    acceptor->open(endpoint.protocol(), ec);
    // Without it a restart would wait for connections in TIME_WAIT; a live listener still keeps the port.
    if (!ec) acceptor->set_option(Acceptor::reuse_address(true), ec);
    if (!ec) acceptor->bind(endpoint, ec);
    if (!ec) acceptor->listen(4096, ec);
    if (ec) return cannot_listen(where, ec);
    ports.push_back(acceptor->local_endpoint(ec).port());
    acceptors.push_back(std::move(acceptor));
    retries.push_back(std::make_unique<asio::steady_timer>(threads.front()->context()));
    return {};
  }

  void accept(size_t i) {
    const std::shared_ptr<IoThread>& home = threads[next_thread++ % threads.size()];
    acceptors[i]->async_accept(home->context(), [this, i, home](const error_code& ec, Socket socket) {
      if (closed) return;
      if (ec) return accept_later(i);
      admit(std::move(socket), home);
      accept(i);
    });
  }

  // Out of descriptors, usually: the backlog keeps callers until some are free.
  void accept_later(size_t i) {
    retries[i]->expires_after(std::chrono::milliseconds(50));
    retries[i]->async_wait([this, i](const error_code& ec) {
      if (!ec && !closed) accept(i);
    });
  }

  void admit(Socket socket, const std::shared_ptr<IoThread>& home) {
    error_code ec;
    const auto remote = socket.remote_endpoint(ec);
    if (ec) return;  // gone already
    const Peer peer{address_of(remote.address())};
    if (!state->gate.enter(peer.ip)) {
      state->counters.refused.fetch_add(1, std::memory_order_relaxed);
      static const std::string answer = refusal();
      socket.non_blocking(true, ec);
      socket.write_some(asio::buffer(answer), ec);
      return;
    }
    state->counters.accepted.fetch_add(1, std::memory_order_relaxed);
    auto connection = std::make_shared<Connection>(std::move(socket), peer, home, state);
    home->post([connection = std::move(connection)] { connection->start(); });
  }

  // First thread only.
  void close_acceptors() {
    closed = true;
    for (auto& acceptor : acceptors) {
      error_code ignored;
      acceptor->close(ignored);
    }
    for (auto& retry : retries) retry->cancel();
  }
};

Result<std::unique_ptr<HttpServer>> HttpServer::start(Setup setup, std::shared_ptr<Handler> handler,
                                                      const Clock& clock) {
  auto impl = std::make_unique<Impl>();
  impl->state = std::make_shared<ServerState>(setup.limits, std::move(handler));
  for (unsigned i = 0; i < std::max(1u, setup.threads); ++i)
    impl->threads.push_back(std::make_shared<IoThread>(i, clock));
  for (const std::string& where : setup.listen)
    if (auto listening = impl->listen(where); !listening) return std::move(listening).error();
  for (size_t i = 0; i < impl->acceptors.size(); ++i) impl->accept(i);
  for (auto& thread : impl->threads) thread->start();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() {
  impl_->threads.front()->post([impl = impl_.get()] { impl->close_acceptors(); });
  for (auto& thread : impl_->threads) thread->stop();
  for (auto& thread : impl_->threads) thread->join();
}

void HttpServer::drain() {
  impl_->threads.front()->post([impl = impl_.get()] { impl->close_acceptors(); });
  for (auto& thread : impl_->threads) thread->drain();
}

bool HttpServer::wait_drained(std::chrono::milliseconds limit) {
  return impl_->state->gate.wait_empty(limit);
}

std::vector<uint16_t> HttpServer::ports() const {
  return impl_->ports;
}

ApiStats HttpServer::stats() const {
  const Counters& c = impl_->state->counters;
  ApiStats out;
  out.connections = impl_->state->gate.open();
  out.accepted = c.accepted;
  out.refused = c.refused;
  out.requests = c.requests;
  out.answers_2xx = c.answers_2xx;
  out.answers_4xx = c.answers_4xx;
  out.answers_5xx = c.answers_5xx;
  return out;
}

}  // namespace godwit::http
