// IoThread runs one io_context and the connections that live on it.
//
// Work from other threads arrives through post(): a burst of it costs one wake-up, and the connections that it gave
// something to send are written to once, after the whole burst. Every entry into the thread (bytes arrived, a burst of
// tasks, a tick) ends with that flush.
//
// Shared: connections keep their thread alive, because answers may come after the server has stopped; they are dropped.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "broker/api/http/handler.hpp"
#include "broker/base/clock.hpp"
#include "broker/base/random.hpp"

namespace godwit::http {

class IoThread final : public Home, public std::enable_shared_from_this<IoThread> {
 public:
  IoThread(unsigned number, const Clock& clock);

  // Home.
  void post(Callback<void()> task) override;
  unsigned number() const override { return number_; }
  void after_this_turn(Callback<void()> task) override;
  bool draining() const override { return draining_; }

  void start();
  // Any thread. Connections come to an end by themselves.
  void drain();
  // Any thread, then join: cuts what is left.
  void stop();
  void join();

  // Home thread only.
  boost::asio::io_context& context() { return context_; }
  const Clock& clock() const { return clock_; }
  void add(std::shared_ptr<Connection> connection);
  void remove(const std::shared_ptr<Connection>& connection);
  void needs_flush(std::shared_ptr<Connection> connection);
  void flush();
  const std::string& date() const { return date_; }  // of the Date header
  std::string make_request_id();
  bool here() const { return std::this_thread::get_id() == thread_id_; }

 private:
  void run_tasks();
  void arm_tick();
  void tick();

  const unsigned number_;
  const Clock& clock_;
  boost::asio::io_context context_{1};
  boost::asio::steady_timer timer_{context_};
  std::thread thread_;
  std::thread::id thread_id_;

  std::mutex mutex_;
  std::vector<Callback<void()>> tasks_;  // mutex_
  bool wake_pending_ = false;            // mutex_
  bool stopped_ = false;                 // mutex_

  // Home thread only.
  std::vector<Callback<void()>> running_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> unflushed_, flushing_;
  std::string date_;
  Random random_;
  bool draining_ = false;
  bool ended_ = false;
};

}  // namespace godwit::http
