#include "broker/net/poller.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace godwit::net {
namespace {

int checked(int fd, const char* what) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), what);  // no descriptors left: nothing can run
  return fd;
}

}  // namespace

Poller::Poller()
    : epoll_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(checked(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
}

Poller::~Poller() {
  close(wake_);
  close(epoll_);
}

int Poller::set(int fd, uint32_t events, bool one_shot) {
  epoll_event event{};
  event.events =
      (events & kRead ? EPOLLIN | EPOLLRDHUP : 0u) | (events & kWrite ? EPOLLOUT : 0u) | (one_shot ? EPOLLONESHOT : 0u);
  event.data.fd = fd;
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0) return 0;
  if (errno == ENOENT && epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0) return 0;
  return errno;
}

void Poller::remove(int fd) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

std::span<const Poller::Ready> Poller::wait(int timeout_ms) {
  std::array<epoll_event, 128> events;
  ready_.clear();
  const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
  for (int i = 0; i < n; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    if (event.data.fd == wake_) {
      uint64_t count;
      [[maybe_unused]] const ssize_t got = read(wake_, &count, sizeof count);
      continue;
    }
    uint32_t bits = 0;
    if (event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) bits |= kRead;
    if (event.events & EPOLLOUT) bits |= kWrite;
    if (event.events & (EPOLLERR | EPOLLHUP)) bits |= kError;
    ready_.push_back({event.data.fd, bits});
  }
  return ready_;
}

void Poller::wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = write(wake_, &one, sizeof one);
}

}  // namespace godwit::net
