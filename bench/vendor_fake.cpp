#include "bench/vendor_fake.hpp"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <condition_variable>
#include <ctime>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "bench/support/ndjson_client.hpp"

namespace godwit::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;

constexpr size_t kMostTargets = 1000;
constexpr size_t kCallers = 4;  // callbacks on their way at once; each waits until the broker has stored it

std::string_view field(std::string_view form, std::string_view name) {
  for (size_t at = 0; at < form.size();) {
    const size_t end = std::min(form.find('&', at), form.size());
    if (form.substr(at, end - at).starts_with(name)) return form.substr(at + name.size(), end - at - name.size());
    at = end + 1;
  }
  return {};
}

size_t targets_in(std::string_view list) {
  size_t n = list.empty() ? 0 : 1;
  for (size_t at = 0; (at = list.find("%2C", at)) != std::string_view::npos; at += 3) ++n;
  return n;
}

// Enough for an URL: the colon and the slash are all that our form encoding escapes in one.
std::string path_of(std::string_view callback) {
  std::string out;
  for (size_t i = 0; i < callback.size(); ++i) {
    if (callback[i] == '%' && i + 2 < callback.size()) {
      out += callback.substr(i, 3) == "%2F" ? '/' : ':';
      i += 2;
    } else {
      out += callback[i];
    }
  }
  const size_t host = out.find("://");
  const size_t path = host == std::string::npos ? std::string::npos : out.find('/', host + 3);
  return path == std::string::npos ? std::string() : out.substr(path);
}

double cpu_of(pthread_t thread) {
  clockid_t clock;
  timespec t{};
  if (pthread_getcpuclockid(thread, &clock) != 0) return 0;
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

}  // namespace

struct VendorFake::Parts {
  struct Session : std::enable_shared_from_this<Session> {
    Session(VendorFake& fake, Tcp::socket s) : fake(fake), socket(std::move(s)) {}

    void read() {
      parser.emplace();
      parser->body_limit(1 << 20);
      http::async_read(socket, buffer, *parser, [self = shared_from_this()](boost::system::error_code error, size_t) {
        if (!error) self->answer();
      });
    }
    void answer() {
      const auto& request = parser->get();
      reply = {http::status::ok, 11};
      reply.set(http::field::content_type, "application/json");
      reply.body() = fake.parts_->take(request["Authorization"], request.body());
      reply.prepare_payload();
      http::async_write(socket, reply, [self = shared_from_this()](boost::system::error_code error, size_t) {
        if (!error) self->read();
      });
    }
    VendorFake& fake;
    Tcp::socket socket;
    boost::beast::flat_buffer buffer;
    std::optional<http::request_parser<http::string_body>> parser;
    http::response<http::string_body> reply;
  };

  Parts(VendorFake& fake, std::string secret) : fake(fake), authorization("key=" + std::move(secret)) {}

  void accept() {
    acceptor.async_accept([this](boost::system::error_code error, Tcp::socket socket) {
      if (error) return;
      socket.set_option(Tcp::no_delay(true));
      std::make_shared<Session>(fake, std::move(socket))->read();
      accept();
    });
  }

  std::string take(std::string_view given, const std::string& form) {
    const std::string_view list = field(form, "registration_id=");
    const size_t targets = targets_in(list);
    if (given != authorization || targets == 0 || targets > kMostTargets || field(form, "title=").empty()) {
      ++fake.refused_;
      return R"({"result":"error","code":10017,"reason":"the fake expected something else"})";
    }
    const std::string id = "scm01b2" + std::to_string(++fake.calls_) + "ab";
    fake.targets_ += targets;
    if (callback_port != 0) remember(id, form, list);
    return R"({"result":"ok","trace_id":"X","code":0,"data":{"id":")" + id + R"("},"description":"ok"})";
  }

  // The callback's body: a form with one field, whose commas stay as the call escaped them.
  void remember(const std::string& id, const std::string& form, std::string_view list) {
    std::string body = "data=%7B%22" + id + "%22%3A%7B%22param%22%3A%22";
    body.append(field(form, "extra.callback.param=")).append("%22%2C%22type%22%3A1%2C%22targets%22%3A%22");
    body.append(list).append("%22%7D%7D");
    std::string call =
        "POST " + path_of(field(form, "extra.callback=")) +
        " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
    std::lock_guard lock(mutex);
    callbacks.push_back(std::move(call));
    wake.notify_one();
  }

  void send_callbacks() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [this] { return ending || !callbacks.empty(); });
      if (ending) return;
      const std::string call = std::move(callbacks.front());
      callbacks.pop_front();
      lock.unlock();
      if (http_call(callback_port, call).find(" 200 ") == std::string::npos) ++fake.refused_;
      lock.lock();
    }
  }

  VendorFake& fake;
  const std::string authorization;
  asio::io_context io{1};
  Tcp::acceptor acceptor{io, Tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::atomic<int> callback_port{0};
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::string> callbacks;
  bool ending = false;
  std::thread server;
  std::vector<std::thread> callers;
};

VendorFake::VendorFake(std::string secret) : parts_(std::make_unique<Parts>(*this, std::move(secret))) {
  parts_->accept();
  parts_->server = std::thread([this] { parts_->io.run(); });
  for (size_t i = 0; i < kCallers; ++i) parts_->callers.emplace_back([this] { parts_->send_callbacks(); });
}

VendorFake::~VendorFake() {
  parts_->io.stop();
  parts_->server.join();
  {
    std::lock_guard lock(parts_->mutex);
    parts_->ending = true;
  }
  parts_->wake.notify_all();
  for (std::thread& caller : parts_->callers) caller.join();
}

int VendorFake::port() const {
  return parts_->acceptor.local_endpoint().port();
}

void VendorFake::call_back(int port) {
  parts_->callback_port = port;
}

double VendorFake::cpu_seconds() const {
  double all = cpu_of(parts_->server.native_handle());
  for (std::thread& caller : parts_->callers) all += cpu_of(caller.native_handle());
  return all;
}

}  // namespace godwit::bench
