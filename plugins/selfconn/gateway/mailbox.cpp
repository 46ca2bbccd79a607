#include "plugins/selfconn/gateway/mailbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace selfconn {

Admission::~Admission() {
  if (fd >= 0) ::close(fd);
}

void Mailbox::open() {
  wake_fd_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_fd_ < 0) throw std::system_error(errno, std::generic_category(), "cannot make an eventfd");
}

Mailbox::~Mailbox() {
  if (wake_fd_ >= 0) ::close(wake_fd_);
}

void Mailbox::ring() {
  const uint64_t one = 1;
  // Cannot fail in a way that matters: a full counter is readable too.
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
}

void Mailbox::take(Mail& empty) {
  uint64_t ignored;
  [[maybe_unused]] const ssize_t got = ::read(wake_fd_, &ignored, sizeof ignored);
  std::lock_guard lock(mutex_);
  std::swap(mail_, empty);
  is_noticed_ = false;
}

}  // namespace selfconn
