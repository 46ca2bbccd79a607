// H2Exchange is one request on its way through an HTTP/2 pool, with the answer that grows and how it ended.
//
// It lives in a list node that is spliced from the queue to a connection and on to the finished, so that a request
// costs one allocation and whoever has it in his list owns it. Belongs to the client's thread.
#pragma once

#include <list>

#include "broker/net/http_client.hpp"

namespace godwit::net {

struct H2Exchange {
  H2Exchange(HttpRequest request, HttpDone done, SteadyTime sent_at, SteadyTime expires)
      : request(std::move(request)), done(std::move(done)), sent_at(sent_at), expires(expires) {}

  HttpRequest request;
  HttpDone done;
  SteadyTime sent_at, expires;
  unsigned moves = 0;  // connections that it has left unprocessed

  // While on a connection.
  std::list<H2Exchange>::iterator place;  // of itself in the connection's list
  int32_t stream = 0;
  uint64_t header_at = 0;  // where in the connection's bytes its header begins; kNotYet: still with nghttp2
  size_t body_read = 0;
  static constexpr uint64_t kNotYet = UINT64_MAX;

  HttpResponse response;
  size_t header_bytes = 0;
  bool complete = false;  // the server ended its side
  std::string spoilt;     // why the answer must not be used although it comes: too long

  void answer() {
    response.delivery = Delivery::answered;
    response.fault = HttpResponse::Fault::none;
  }
  void fail(Delivery delivery, HttpResponse::Fault fault, std::string error) {
    response = HttpResponse{};
    response.delivery = delivery;
    response.fault = fault;
    response.error = std::move(error);
  }
  // Forgets what an earlier connection brought.
  void start_over() {
    stream = 0;
    header_at = kNotYet;
    body_read = 0;
    response = HttpResponse{};
    header_bytes = 0;
    complete = false;
    spoilt.clear();
  }
};
using H2Exchanges = std::list<H2Exchange>;

}  // namespace godwit::net
