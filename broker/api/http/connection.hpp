// Connection: one HTTP/1.1 connection on its home thread.
//
// Bytes in: read into one buffer, parsed, handed to the Handler as soon as a request is complete, also while earlier
// ones are still being answered (pipelining). Bytes out: answers leave in the order of their requests; one that is
// early waits in its exchange. Reading stops while too many exchanges are open, while a streamed body's watcher wants
// no data, and while the caller does not read what we have for it; so memory is bounded by the limits.
//
// Every exchange ends in exactly one of: its answer was handed to the socket, or the connection closed. Home thread
// only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <memory>
#include <string>

#include "broker/api/http/handler.hpp"
#include "broker/api/http/io_thread.hpp"
#include "broker/api/http/request_parser.hpp"
#include "broker/api/http/server_state.hpp"

namespace godwit::http {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  // The gate has let `peer` in; the connection leaves it when it closes.
  Connection(Socket socket, Peer peer, std::shared_ptr<IoThread> home, std::shared_ptr<ServerState> server);

  void start();
  void tick(MonoNs now);
  void drain();
  void close();
  void flush();

  // For Reply.
  void send(uint64_t id, Response response);
  void begin(uint64_t id, int status, std::string_view content_type);
  void write(uint64_t id, std::string_view piece);
  void finish(uint64_t id);
  void abandon(uint64_t id);
  void watch(uint64_t id, std::shared_ptr<Watcher> watcher);
  void resume();
  size_t unsent_bytes(uint64_t id) const;
  bool is_open(uint64_t id) const;
  std::string_view request_id(uint64_t id) const;
  const std::shared_ptr<IoThread>& home() const { return home_; }

 private:
  enum class Stage : uint8_t { waiting, streaming, finished };
  struct Exchange {
    std::string request_id;
    std::string early;  // serialized, waits for the exchanges before this one
    std::shared_ptr<Watcher> watcher;
    Stage stage = Stage::waiting;
    bool head = false, http11 = true, keep_alive = true, chunked = false;
  };

  // Bytes in.
  void read();
  void on_read(size_t n, bool eof);
  void take_input();
  bool paused() const;
  void on_header();
  bool begin_stream(const Request& request);
  void on_data();
  void on_message();
  void on_refused();
  void refuse(int status, std::string_view reason);
  uint64_t open_exchange();
  void begin_message();

  // Bytes out.
  Exchange* find(uint64_t id);
  const Exchange* find(uint64_t id) const;
  std::string& sink(uint64_t id, Exchange& exchange);
  void append_head(std::string& out, const Exchange& exchange, uint64_t id, const Response& response, bool chunked);
  void advance();
  void queue_flush();
  void all_sent();
  void linger();
  std::vector<std::shared_ptr<Watcher>> watchers() const;

  Socket socket_;
  const Peer peer_;
  const std::shared_ptr<IoThread> home_;
  const std::shared_ptr<ServerState> server_;

  RequestParser parser_;
  std::string in_;  // [in_begin_, in_end_) is not parsed yet
  size_t in_begin_ = 0, in_end_ = 0;
  std::string current_id_;      // of the request that is being read
  uint64_t body_exchange_ = 0;  // whose body is streaming, when `streaming_body_`
  bool streaming_body_ = false;
  bool reading_ = false;     // a read is with the socket
  bool taking_ = false;      // inside take_input
  bool input_over_ = false;  // nothing more is parsed from here
  bool lingering_ = false;

  std::deque<Exchange> exchanges_;
  uint64_t first_id_ = 1;  // of exchanges_.front()

  std::string out_, sending_;
  size_t sent_ = 0;  // of sending_
  bool write_waits_ = false, flush_queued_ = false;
  bool close_when_sent_ = false, closed_ = false;

  MonoNs message_start_ns_ = 0;  // first byte of the request that is being read; last piece of a streamed body
  MonoNs idle_since_ns_ = 0, sent_at_ns_ = 0, linger_until_ns_ = 0;
};

}  // namespace godwit::http
