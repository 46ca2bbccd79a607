// Any bytes as records, raw and properly sealed, cut anywhere: never out of bounds, and data comes out as it was put
// in.
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "plugins/selfconn/stream/tls13_records.hpp"

namespace {

using namespace selfconn::tls13;

const std::vector<uint8_t> kSecret(32, 1);

std::vector<uint8_t> sealed(TrafficKey& key, std::span<const uint8_t> content, uint8_t type) {
  std::vector<uint8_t> record(content.size() + kOverhead);
  std::copy(content.begin(), content.end(), record.begin() + kHeader);
  key.seal(record, content.size(), static_cast<Content>(type));
  return record;
}

}  // namespace

// Pieces of: how (1 byte), size (1 byte), bytes. `how`: the type of a sealed record, or raw.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  int fds[2];
  if (size > 8'000 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0) return 0;
  TrafficKey theirs(Aead::chacha20_poly1305, kSecret, 0);
  Records records(theirs, theirs, 512, 4);
  std::string said, heard;
  std::vector<uint8_t> room(97);
  bool is_clean = true;
  for (size_t at = 0; at + 2 <= size;) {
    const uint8_t how = data[at];
    const std::span<const uint8_t> content(data + at + 2, std::min<size_t>(data[at + 1], size - at - 2));
    at += 2 + content.size();
    std::vector<uint8_t> bytes(content.begin(), content.end());
    if (how % 4 != 0) bytes = sealed(theirs, content, how % 4 == 3 ? how : static_cast<uint8_t>(20 + how % 8));
    const bool is_data = how % 4 != 0 && (how % 4 == 3 ? how : 20 + how % 8) == 23;
    is_clean = is_clean && (is_data || content.empty());
    if (is_data && is_clean) said.append(content.begin(), content.end());
    if (::send(fds[1], bytes.data(), bytes.size(), 0) < 0) break;
    for (ssize_t n; (n = records.read(fds[0], room)) > 0;)
      heard.append(reinterpret_cast<char*>(room.data()), static_cast<size_t>(n));
    records.write(fds[0], {}, content);
  }
  if (!heard.starts_with(said.substr(0, heard.size())) || (is_clean && heard.size() > said.size())) std::abort();
  records.finish(fds[0]);
  ::close(fds[0]);
  ::close(fds[1]);
  return 0;
}
