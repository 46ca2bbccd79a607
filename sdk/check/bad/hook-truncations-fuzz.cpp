// Lets an exception of the standard library out of a C function.
#include "good.hpp"
struct Bad : bad::Good {
  using Good::Good;
  int32_t parse(const gw_webhook_request* request, const gw_webhook_sink* sink) override {
    std::string body(bad::view(request->body));
    size_t number = body.find_first_of("0123456789");
    (void)std::stoi(body.substr(number == std::string::npos ? 0 : number));
    return Good::parse(request, sink);
  }
};
BAD_PLUGIN(Bad)
