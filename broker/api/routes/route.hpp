// Route: one call of the API, described once. The dispatcher, the authorization matrix of the tests and the OpenAPI
// document are all made from these, so they cannot disagree.
#pragma once

#include <string_view>
#include <vector>

#include "broker/api/http/handler.hpp"

namespace godwit {

struct Api;
struct Call;

// Who may call. Several bits: any of them.
enum Who : uint8_t {
  kServer = 1,
  kClient = 2,
  kDevice = 4,  // with {device_id} in the path: that device only
  kAdmin = 8,
  kVendor = 16,    // anybody; the channel's plugin checks the caller
  kLoopback = 32,  // anybody on this machine, else an admin
};

struct Parameter {
  std::string_view name;
  std::string_view type;  // string | integer
  std::string_view description;
  std::string_view example;
  std::vector<std::string_view> values = {};  // when not any
};

struct Body {
  std::string_view schema;  // a name in the document's components; empty: no body
  std::string_view content_type = "application/json";
  std::string_view other_schema = "", other_content_type = "";
};

struct Answer {
  int status;
  std::string_view description, schema;
  std::string_view content_type = "application/json";
};

struct Route {
  http::Method method;
  std::string_view path;  // {name} stands for one segment, {name...} at the end for all that follow
  uint8_t who;
  void (*handle)(Api& api, Call& call, http::Reply reply);
  std::string_view id, tag, summary, description;
  std::vector<Parameter> query = {};
  Body body = {};
  std::vector<Answer> answers = {};
  bool streams = false;          // the body comes in pieces
  bool any_method = false;       // `method` is the one that the document shows first
  bool idempotency_key = false;  // reads the Idempotency-Key header
};

const std::vector<Route>& device_routes();
const std::vector<Route>& topic_routes();
const std::vector<Route>& message_routes();
const std::vector<Route>& receipt_routes();
const std::vector<Route>& channel_routes();
const std::vector<Route>& statistics_routes();
const std::vector<Route>& operation_routes();

// All of them, in the document's order.
const std::vector<const Route*>& all_routes();

}  // namespace godwit
