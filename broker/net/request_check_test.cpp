#include "broker/net/request_check.hpp"

#include <gtest/gtest.h>

namespace godwit::net {

TEST(RequestCheck, PassesAnOrdinaryRequest) {
  HttpRequest request;
  request.path = "/v3/message/regid?x=%20";
  request.headers = {{"authorization", "key=FAKE=="}, {"content-type", "application/json"}};
  EXPECT_TRUE(check_request(request));
}

TEST(RequestCheck, RefusesWhatWouldSplitTheRequest) {
  for (const char* path : {"/a b", "/a\r\nx: y", "a", "", "/a#b", "/a\x7f"}) {
    HttpRequest request;
    request.path = path;
    EXPECT_FALSE(check_request(request)) << path;
  }
  const std::pair<const char*, std::string> headers[] = {{"x", "a\r\ny: b"},
                                                         {"x", std::string("a\0b", 3)},
                                                         {"X-Upper", "a"},
                                                         {"x:y", "a"},
                                                         {"", "a"},
                                                         {"host", "evil"},
                                                         {"content-length", "1"},
                                                         {"transfer-encoding", "chunked"}};
  for (const auto& [name, value] : headers) {
    HttpRequest request;
    request.headers = {{name, value}};
    EXPECT_FALSE(check_request(request)) << name;
  }
  HttpRequest request;
  request.method = "GET /";
  EXPECT_FALSE(check_request(request));
}

}  // namespace godwit::net
