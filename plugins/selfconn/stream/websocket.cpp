#include "plugins/selfconn/stream/websocket.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "plugins/selfconn/stream/upgrade.hpp"

namespace selfconn {
namespace {

constexpr size_t kMaxControlBacklog = 4 * 1024;  // of a peer that sends pings and does not read the pongs

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

ssize_t fail(int error) {
  errno = error;
  return -1;
}

}  // namespace

ssize_t WebSocket::read(int fd, std::span<uint8_t> room) {
  if (is_closed_) return fail(ECONNRESET);
  if (!is_open_) {
    std::string rest;
    if (const ssize_t done = shake_hands(fd, room, rest); done <= 0) return done;
    std::copy(rest.begin(), rest.end(), room.begin());
    if (const ssize_t payload = unframe(fd, room, rest.size()); payload != 0) return payload;
  }
  const ssize_t n = read_below(below_.get(), fd, room);
  if (n <= 0) return n;
  const ssize_t payload = unframe(fd, room, static_cast<size_t>(n));
  // No payload is not the end: there were control frames or a header only. A peer may send those for ever, so the
  // caller decides when it comes back.
  return payload != 0 ? payload : fail(EINTR);
}

ssize_t WebSocket::shake_hands(int fd, std::span<uint8_t> room, std::string& rest) {
  for (;;) {
    const ssize_t n = read_below(below_.get(), fd, room);
    if (n <= 0) return n;
    pending_.append(reinterpret_cast<const char*>(room.data()), static_cast<size_t>(n));
    const Upgrade upgrade = answer_upgrade(pending_);
    if (upgrade.state == Upgrade::State::need_more) continue;
    // Into an empty socket buffer: it is taken as a whole, or the peer is none of ours.
    const ssize_t sent = write_below(below_.get(), fd, bytes_of(upgrade.response), {});
    const bool is_sent = sent == static_cast<ssize_t>(upgrade.response.size());
    if (upgrade.state == Upgrade::State::refused || !is_sent) return fail(EPROTO);
    is_open_ = true;
    rest = pending_.substr(upgrade.request_size);  // not more than the last read gave: it fits `room` again
    pending_ = std::string();
    return 1;
  }
}

ssize_t WebSocket::unframe(int fd, std::span<uint8_t> room, size_t got) {
  using Event = WebSocketFrames::Step::Event;
  size_t payload = 0;
  for (size_t done = 0; done < got;) {
    const WebSocketFrames::Step step = frames_.take(room.subspan(done, got - done));
    // What it left at the front of its part joins the payload before it.
    const auto part = room.begin() + static_cast<long>(done);
    std::copy(part, part + static_cast<long>(step.payload), room.begin() + static_cast<long>(payload));
    payload += step.payload;
    done += step.consumed;
    if (step.event == Event::none) continue;
    if (step.event == Event::ping) {
      say(fd, WebSocketFrames::kPong, frames_.control());
      if (pending_.size() > kMaxControlBacklog) return fail(EPROTO);
      continue;
    }
    say_close(fd, step.code);
    if (payload > 0) break;  // it was said before; the next read finds the end
    return fail(step.event == Event::close ? ECONNRESET : EPROTO);
  }
  return static_cast<ssize_t>(payload);
}

void WebSocket::say(int fd, uint8_t opcode, std::string_view payload) {
  std::array<uint8_t, 10> header;
  const size_t size = WebSocketFrames::write_header(opcode, payload.size(), header);
  pending_.append(reinterpret_cast<const char*>(header.data()), size).append(payload);
  if (frame_left_ == 0 && header_sent_ == header_size_) flush_control(fd);
}

void WebSocket::say_close(int fd, uint16_t code) {
  if (std::exchange(is_closed_, true)) return;
  const char payload[2] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  say(fd, WebSocketFrames::kClose, {payload, 2});
}

bool WebSocket::flush_control(int fd) {
  while (!pending_.empty()) {
    const ssize_t n = write_below(below_.get(), fd, bytes_of(pending_), {});
    if (n <= 0) return false;
    pending_.erase(0, static_cast<size_t>(n));
  }
  return true;
}

ssize_t WebSocket::write(int fd, std::span<const uint8_t> head, std::span<const uint8_t> body) {
  // Nothing stands on top of a WebSocket that would have a head of its own.
  const std::span<const uint8_t> bytes = head.empty() ? body : head;
  if (is_closed_) return fail(EPIPE);
  if (frame_left_ == 0 && header_sent_ == header_size_) {
    if (!flush_control(fd)) return fail(EAGAIN);
    frame_left_ = bytes.size();
    header_size_ = static_cast<uint8_t>(WebSocketFrames::write_header(WebSocketFrames::kBinary, bytes.size(), header_));
    header_sent_ = 0;
  }
  const size_t count = static_cast<size_t>(std::min<uint64_t>(frame_left_, bytes.size()));
  const auto header = std::span<const uint8_t>(header_).subspan(header_sent_, header_size_ - header_sent_);
  const ssize_t n = write_below(below_.get(), fd, header, bytes.first(count));
  if (n < 0) return n;
  const auto taken = static_cast<size_t>(n);
  const size_t of_header = std::min(taken, header.size());
  header_sent_ = static_cast<uint8_t>(header_sent_ + of_header);
  frame_left_ -= taken - of_header;
  if (taken == of_header && count > 0) return fail(EAGAIN);  // nothing of the payload left
  return static_cast<ssize_t>(taken - of_header);
}

void WebSocket::finish(int fd) {
  if (is_open_) say_close(fd, WebSocketFrames::kNormal);
  if (below_) below_->finish(fd);
}

}  // namespace selfconn
