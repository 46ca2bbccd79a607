// HeaderMemory decides which headers of a connection go into HPACK's dynamic table.
//
// Secrets never: whoever can add headers of his own to a connection could guess them by the size of the frames
// (RFC 7541 §7.1), so they are sent as never-indexed literals, which intermediaries must keep so. Values that differ
// from request to request (ids, expirations) would only push the useful ones out of a table of 4,096 bytes, so a name
// that has shown more than a few values is not indexed for new ones.
//
// One per connection, used by its thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace godwit::net {

bool is_secret_header(std::string_view name);  // by lower-case name

class HeaderMemory {
 public:
  // True if the header should be indexed; remembers the value.
  bool should_index(std::string_view name, std::string_view value);

 private:
  static constexpr size_t kValues = 4, kNames = 32;
  struct Seen {
    std::string name;
    std::array<uint64_t, kValues> values{};
    size_t count = 0;
  };
  std::vector<Seen> seen_;
};

}  // namespace godwit::net
