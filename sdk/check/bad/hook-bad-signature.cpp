// Believes anybody.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  int32_t parse(const gw_webhook_request* request, const gw_webhook_sink* sink) override {
    gw_str header[] = {bad::str("x-signature"), bad::str("good")};
    gw_webhook_request r = *request;
    r.headers = header;
    r.header_count = 1;
    return Good::parse(&r, sink);
  }
};
BAD_PLUGIN(Bad)
