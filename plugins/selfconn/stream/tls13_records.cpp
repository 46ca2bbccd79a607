#include "plugins/selfconn/stream/tls13_records.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace selfconn::tls13 {
namespace {

constexpr uint8_t kUserCanceled = 90;
constexpr uint8_t kKeyUpdate = 24;
constexpr uint8_t kMaxIdleRecords = 32;  // empty records and key updates cost us, and a peer nothing

// What a thread needs while it handles one record; between calls there is nothing in it.
struct Desk {
  std::vector<uint8_t> in = std::vector<uint8_t>(64 * 1024);
  std::vector<uint8_t> out = std::vector<uint8_t>(2 * kMaxContent);
};
thread_local Desk desk;

// Of the record at the front, header included; 0 when the header is not complete.
size_t size_of_record(std::span<const uint8_t> bytes) {
  if (bytes.size() < kHeader) return 0;
  return kHeader + (static_cast<size_t>(bytes[3]) << 8 | bytes[4]);
}
bool has_record(std::span<const uint8_t> bytes) {
  const size_t size = size_of_record(bytes);
  // One that is too long is a fault at once: nobody waits for its rest.
  return size > 0 && (size <= bytes.size() || size > kHeader + kMaxCiphertext);
}

}  // namespace

ssize_t Records::end() const {
  if (ending_ == Ending::closed) return 0;
  errno = ending_ == Ending::reset ? ECONNRESET : ECONNABORTED;
  return -1;
}

ssize_t Records::read(int fd, std::span<uint8_t> room) {
  for (;;) {
    if (!plain_.empty()) {
      const size_t count = std::min(room.size(), plain_.size());
      std::memcpy(room.data(), plain_.bytes().data(), count);
      plain_.drop(count);
      return static_cast<ssize_t>(count);
    }
    if (ending_ != Ending::none) return end();
    size_t size = raw_.size();
    if (size > 0) std::memcpy(desk.in.data(), raw_.bytes().data(), size);
    if (!has_record({desk.in.data(), size})) {
      const ssize_t n = ::recv(fd, desk.in.data() + size, desk.in.size() - size, MSG_DONTWAIT);
      if (n <= 0) return n;
      size += static_cast<size_t>(n);
    }
    size_t payload = 0;
    const std::span<uint8_t> bytes(desk.in.data(), size);
    const size_t done = take_records(fd, bytes, room, payload);
    raw_.assign(bytes.subspan(done), 0);
    if (payload > 0) return static_cast<ssize_t>(payload);
  }
}

// Opens records until there is none, no room, or an end; returns how many bytes they took.
size_t Records::take_records(int fd, std::span<uint8_t> bytes, std::span<uint8_t> room, size_t& payload) {
  size_t done = 0;
  while (ending_ == Ending::none && plain_.empty() && has_record(bytes.subspan(done))) {
    const size_t size = size_of_record(bytes.subspan(done));
    if (size > kHeader + kMaxCiphertext) {
      fault(fd, Alert::record_overflow);
      break;
    }
    const std::span<uint8_t> record = bytes.subspan(done, size);
    done += size;
    if (record[0] != static_cast<uint8_t>(Content::data)) {
      fault(fd, Alert::unexpected_message);  // nothing is in the clear after the handshake
      break;
    }
    const auto opened = theirs_.open(record);
    if (!opened)
      fault(fd, Alert::bad_record_mac);
    else if (opened->content.size() > max_fragment_ || size > kMaxContent + kOverhead)  // 5.4: padding counts
      fault(fd, Alert::record_overflow);
    else
      take(fd, *opened, room, payload);
  }
  return done;
}

void Records::take(int fd, const TrafficKey::Opened& opened, std::span<uint8_t> room, size_t& payload) {
  idle_records_ = opened.type == Content::data && !opened.content.empty() ? 0 : static_cast<uint8_t>(idle_records_ + 1);
  if (idle_records_ > kMaxIdleRecords) return fault(fd, Alert::unexpected_message);
  switch (opened.type) {
    case Content::data: {
      const size_t count = std::min(room.size() - payload, opened.content.size());
      std::copy_n(opened.content.begin(), count, room.begin() + static_cast<long>(payload));
      payload += count;
      plain_.assign(opened.content.subspan(count), 0);
      return;
    }
    case Content::alert:
      return take_alert(fd, opened.content);
    case Content::handshake:
      return take_handshake(fd, opened.content);
  }
  fault(fd, Alert::unexpected_message);
}

void Records::take_alert(int fd, std::span<const uint8_t> alert) {
  if (alert.size() != 2) return fault(fd, Alert::decode_error);
  if (alert[1] == kUserCanceled) return;  // close_notify follows
  // All others are fatal, whatever level they claim.
  ending_ = alert[1] == static_cast<uint8_t>(Alert::close_notify) ? Ending::closed : Ending::reset;
}

void Records::take_handshake(int fd, std::span<const uint8_t> message) {
  // Alone in its record, for the next one has another key.
  if (message.size() != 5 || message[0] != kKeyUpdate) return fault(fd, Alert::unexpected_message);
  if (message[1] != 0 || message[2] != 0 || message[3] != 1) return fault(fd, Alert::decode_error);
  if (message[4] > 1) return fault(fd, Alert::illegal_parameter);
  theirs_.update();
  owes_update_ = owes_update_ || message[4] == 1;
}

ssize_t Records::write(int fd, std::span<const uint8_t> head, std::span<const uint8_t> body) {
  if (is_broken()) return end();
  if (!flush(fd)) return -1;
  if (taken_ > 0) return std::exchange(taken_, 0);
  const size_t of_head = std::min<size_t>(head.size(), max_fragment_);
  const size_t of_body = std::min<size_t>(body.size(), max_fragment_ - of_head);
  const size_t content = of_head + of_body;
  if (content == 0) return 0;
  std::span<uint8_t> out(desk.out);
  size_t size = 0;
  if (owes_update_ || ours_.sequence() >= rekey_after_) {
    static constexpr std::array<uint8_t, 5> kUpdate = {kKeyUpdate, 0, 0, 1, 0};
    std::copy(kUpdate.begin(), kUpdate.end(), out.begin() + kHeader);
    size = ours_.seal(out, kUpdate.size(), Content::handshake);
    ours_.update();
    owes_update_ = false;
  }
  uint8_t* const at = out.data() + size + kHeader;
  std::copy_n(head.begin(), of_head, at);
  std::copy_n(body.begin(), of_body, at + of_head);
  size += ours_.seal(out.subspan(size), content, Content::data);
  if (send_all(fd, out.first(size))) return static_cast<ssize_t>(content);
  taken_ = static_cast<uint16_t>(content);
  return -1;
}

// True when the socket took everything; else errno says why not, and the rest is kept.
bool Records::send_all(int fd, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  const int why = errno;
  unsent_.assign(bytes, 0);
  errno = why;
  return unsent_.empty();
}

bool Records::flush(int fd) {
  return unsent_.empty() || send_all(fd, unsent_.bytes());
}

void Records::say(int fd, uint8_t level, Alert alert) {
  if (!flush(fd)) return;
  std::array<uint8_t, 2 + kOverhead> record;
  record[kHeader] = level;
  record[kHeader + 1] = static_cast<uint8_t>(alert);
  send_all(fd, std::span<const uint8_t>(record).first(ours_.seal(record, 2, Content::alert)));
}

void Records::fault(int fd, Alert alert) {
  ending_ = Ending::faulty;
  say(fd, 2, alert);
}

void Records::finish(int fd) {
  if (!is_broken()) say(fd, 1, Alert::close_notify);
}

}  // namespace selfconn::tls13
