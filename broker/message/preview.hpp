// What a channel would ask of its vendor for one message, as a dry run shows it. Values only.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace godwit {

struct VendorRequest {
  std::string method, url;                                   // empty: the channel does not speak HTTP
  std::vector<std::pair<std::string, std::string>> headers;  // what is secret reads "***"
  std::string body;
};

struct Preview {
  struct Remark {
    std::string field;   // a JSON pointer or a name, as the plugin said it; may be empty
    std::string detail;  // the fault and the remedy
  };
  std::vector<VendorRequest> requests;
  std::vector<Remark> errors;    // the channel would refuse the message
  std::vector<Remark> warnings;  // it would go out, but not as it was meant
};

}  // namespace godwit
