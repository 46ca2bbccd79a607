// What stands between the server and the routes: Handler gets requests, Reply takes the answer, Watcher follows an
// exchange that lasts (a streamed body, an event stream, a long poll), Home brings work back to the connection's
// thread.
//
// Threads: a connection lives on one I/O thread, its home. Handler, Reply and Watcher are used on that thread only;
// what another thread finds out comes back through Home::post or Home::bring. Destroying a Reply is allowed anywhere.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "broker/api/http/message.hpp"
#include "broker/base/callback.hpp"
#include "broker/base/clock.hpp"

namespace godwit::http {

// One I/O thread as its handlers see it.
class Home {
 public:
  virtual ~Home() = default;
  // Any thread. Runs `task` on the I/O thread, in order, many of them for one wake-up. Dropped when the server is gone.
  virtual void post(Callback<void()> task) = 0;
  // This thread's number, 0 … threads - 1: handlers keep per-thread state in a vector.
  virtual unsigned number() const = 0;
  // Home thread only. Runs `task` after everything that is ready now has been handled.
  virtual void after_this_turn(Callback<void()> task) = 0;
  virtual bool draining() const = 0;
};

class Connection;

// Follows one exchange. All calls come on the home thread; on_closed is the last and comes exactly once, also after
// the answer was finished.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void on_data(std::string_view /*piece*/) {}  // of a streamed body
  virtual void on_end() {}                             // the streamed body is complete
  virtual bool wants_data() { return true; }           // false: reading stops until Reply::resume
  virtual void on_tick(MonoNs /*now*/) {}              // a few times a second
  virtual void on_drain() {}                           // the server wants to stop: come to an end
  virtual void on_closed() {}                          // the exchange is over or the connection is gone
};

// The right and the duty to answer one request, exactly once: by send(), or by begin(), write()… and finish(). Dropped
// unanswered, it answers 500. After the connection is gone everything is a no-op.
class Reply {
 public:
  Reply() = default;
  Reply(std::shared_ptr<Connection> connection, uint64_t exchange);
  Reply(Reply&& other) noexcept = default;
  Reply& operator=(Reply&& other) noexcept;
  ~Reply();

  void send(Response response);

  void begin(int status, std::string_view content_type);  // the body follows in pieces
  void write(std::string_view piece);
  void finish();
  size_t unsent_bytes() const;  // written here and not yet taken by the socket

  void watch(std::shared_ptr<Watcher> watcher);
  void resume();  // the watcher wants data again

  bool open() const;  // not answered, connection there
  std::string_view request_id() const;
  std::shared_ptr<Home> home() const;

 private:
  void abandon() noexcept;
  std::shared_ptr<Connection> connection_;  // shared: the connection may close while an answer is on its way
  uint64_t exchange_ = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;
  // Any home thread, concurrently. The request's views die with the call.
  virtual void on_request(const Request& request, Reply reply) = 0;
  // Asked when a header is complete: should the body come in pieces? Then on_stream is called instead of on_request,
  // before the body; it attaches a Watcher, or answers at once and the connection closes.
  virtual bool streams(const Request& /*request*/) const { return false; }
  virtual void on_stream(const Request& /*request*/, Reply /*reply*/) {}
};

}  // namespace godwit::http
