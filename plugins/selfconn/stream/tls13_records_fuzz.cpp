// Any bytes as records, raw and properly sealed, of any type, with key updates, cut anywhere: never out of bounds, data
// comes out as it was put in, and whatever the peer does, what we send can be opened and is what we wrote.
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "plugins/selfconn/stream/tls13_records.hpp"

namespace {

using namespace selfconn::tls13;
using Bytes = std::vector<uint8_t>;

const Bytes kTheirs(32, 1), kOurs(32, 2);

std::string text_of(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes sealed(TrafficKey& key, std::span<const uint8_t> content, uint8_t type) {
  Bytes record(content.size() + kOverhead);
  std::copy(content.begin(), content.end(), record.begin() + kHeader);
  key.seal(record, content.size(), static_cast<Content>(type));
  return record;
}

// The peer's ear: opens what we sent and collects the data in it.
struct Ear {
  TrafficKey key{Aead::chacha20_poly1305, kOurs, 0};
  Bytes wire;
  std::string data;
  bool has_ended = false;

  void listen(int fd) {
    Bytes more(64 * 1024);
    for (ssize_t n; (n = ::recv(fd, more.data(), more.size(), 0)) > 0;)
      wire.insert(wire.end(), more.begin(), more.begin() + n);
    size_t done = 0;
    while (wire.size() - done >= kHeader) {
      const size_t size = kHeader + (static_cast<size_t>(wire[done + 3]) << 8 | wire[done + 4]);
      if (wire.size() - done < size) break;
      const auto opened = key.open(std::span(wire).subspan(done, size));
      if (!opened || has_ended) std::abort();  // nothing follows an alert
      if (opened->type == Content::data) data += text_of(opened->content);
      if (opened->type == Content::handshake) key.update();
      has_ended = opened->type == Content::alert;
      done += size;
    }
    wire.erase(wire.begin(), wire.begin() + static_cast<long>(done));
  }
};

}  // namespace

// Pieces of: how (1 byte), size (1 byte), bytes. `how`: the type of a sealed record, a KeyUpdate, or raw.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  int fds[2];
  if (size > 8'000 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0) return 0;
  const int small = 2'304;
  if (size > 0 && data[0] % 2 == 1) ::setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  TrafficKey theirs(Aead::chacha20_poly1305, kTheirs, 0);
  Records records(theirs, TrafficKey(Aead::chacha20_poly1305, kOurs, 0), 512, 4);
  Ear ear;
  std::string said, heard, written, due;
  Bytes room(97);
  bool is_clean = true;
  for (size_t at = 0; at + 2 <= size;) {
    const uint8_t how = data[at];
    const std::span<const uint8_t> content(data + at + 2, std::min<size_t>(data[at + 1], size - at - 2));
    at += 2 + content.size();
    Bytes bytes(content.begin(), content.end());
    const uint8_t type = how % 4 == 3 ? how : static_cast<uint8_t>(20 + how % 8);
    const bool is_update = how >= 0xF0 && how % 4 == 0;
    if (is_update) {
      const uint8_t update[] = {24, 0, 0, 1, static_cast<uint8_t>(how >> 2 & 1)};
      bytes = sealed(theirs, update, 22);
      theirs.update();
    } else if (how % 4 != 0) {
      bytes = sealed(theirs, content, type);
    }
    const bool is_data = how % 4 != 0 && type == 23;
    is_clean = is_clean && (is_data || is_update || content.empty());
    if (is_data && is_clean) said += text_of(content);
    if (::send(fds[1], bytes.data(), bytes.size(), 0) < 0) break;
    for (ssize_t n; (n = records.read(fds[0], room)) > 0;)
      heard += text_of(std::span(room).first(static_cast<size_t>(n)));
    due += text_of(content);
    const ssize_t n = records.write(fds[0], {}, std::span(reinterpret_cast<const uint8_t*>(due.data()), due.size()));
    if (n > 0) written += due.substr(0, static_cast<size_t>(n)), due.erase(0, static_cast<size_t>(n));
    if (how % 3 == 0) ear.listen(fds[1]);
  }
  if (!heard.starts_with(said.substr(0, heard.size())) || (is_clean && heard.size() > said.size())) std::abort();
  ear.listen(fds[1]);
  records.finish(fds[0]);
  ear.listen(fds[1]);
  if (!ear.data.starts_with(written)) std::abort();  // and perhaps a record that left without our being told yet
  ::close(fds[0]);
  ::close(fds[1]);
  return 0;
}
