#include "broker/api/http/io_thread.hpp"

#include <boost/asio/post.hpp>
#include <cstring>
#include <ctime>

#include "broker/api/http/connection.hpp"
#include "broker/base/encoding.hpp"
#include "broker/base/thread.hpp"

namespace godwit::http {
namespace {

constexpr auto kTick = std::chrono::milliseconds(100);

uint64_t seed() {
  uint64_t out;
  std::memcpy(&out, random_bytes(sizeof out).data(), sizeof out);
  return out;
}

std::string http_date(WallMs now) {
  const std::time_t seconds = now / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char out[40];
  return {out, std::strftime(out, sizeof out, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

}  // namespace

IoThread::IoThread(unsigned number, const Clock& clock)
    : number_(number), clock_(clock), date_(http_date(clock.wall_ms())), random_(seed()) {}

void IoThread::start() {
  thread_ = start_thread("http-" + std::to_string(number_), [self = shared_from_this()] {
    self->thread_id_ = std::this_thread::get_id();
    self->arm_tick();
    while (true) {
      try {
        self->context_.run();
        return;
      } catch (...) {  // out of memory in a handler: its request ends without an answer, the others go on
      }
    }
  });
}

void IoThread::post(Callback<void()> task) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;  // `task` dies outside the lock, with the caller's frame
    tasks_.push_back(std::move(task));
    if (wake_pending_) return;
    wake_pending_ = true;
  }
  boost::asio::post(context_, [self = shared_from_this()] { self->run_tasks(); });
}

void IoThread::after_this_turn(Callback<void()> task) {
  boost::asio::post(context_, [self = shared_from_this(), task = std::move(task)]() mutable {
    task();
    self->flush();
  });
}

void IoThread::run_tasks() {
  {
    std::lock_guard lock(mutex_);
    running_.swap(tasks_);
    wake_pending_ = false;
  }
  for (auto& task : running_) {
    try {
      task();
    } catch (...) {  // as in start()
    }
  }
  running_.clear();
  flush();
}

void IoThread::flush() {
  while (!unflushed_.empty()) {
    flushing_.swap(unflushed_);
    for (const auto& connection : flushing_) connection->flush();
    flushing_.clear();
  }
}

void IoThread::add(std::shared_ptr<Connection> connection) {
  connections_.insert(std::move(connection));
}
void IoThread::remove(const std::shared_ptr<Connection>& connection) {
  connections_.erase(connection);
}
void IoThread::needs_flush(std::shared_ptr<Connection> connection) {
  unflushed_.push_back(std::move(connection));
}

void IoThread::arm_tick() {
  timer_.expires_after(kTick);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
    if (!ec && !self->ended_) self->tick();
  });
}

void IoThread::tick() {
  date_ = http_date(clock_.wall_ms());
  const MonoNs now = clock_.mono_ns();
  // A copy: a connection that closes leaves the set.
  const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
  for (const auto& connection : all) connection->tick(now);
  flush();
  arm_tick();
}

void IoThread::drain() {
  post([self = shared_from_this()] {
    self->draining_ = true;
    const std::vector<std::shared_ptr<Connection>> all(self->connections_.begin(), self->connections_.end());
    for (const auto& connection : all) connection->drain();
  });
}

void IoThread::stop() {
  post([self = shared_from_this()] {
    const std::vector<std::shared_ptr<Connection>> all(self->connections_.begin(), self->connections_.end());
    for (const auto& connection : all) connection->close();
    self->ended_ = true;  // a tick that is due already is past cancelling, and would arm the next one
    self->timer_.cancel();
  });
  std::lock_guard lock(mutex_);
  stopped_ = true;
}

void IoThread::join() {
  if (thread_.joinable()) thread_.join();
}

std::string IoThread::make_request_id() {
  constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string out(13, '0');  // short enough to need no allocation
  uint64_t bits = random_.next();
  for (char& c : out) {
    c = kDigits[bits & 31];
    bits >>= 5;
  }
  return out;
}

}  // namespace godwit::http
