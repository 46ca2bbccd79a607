// WakeUp makes poll() of another thread return (an eventfd). ring() may be called from any thread.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>

namespace xmpp {

class WakeUp {
 public:
  WakeUp() : descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::runtime_error("no eventfd: out of descriptors (LimitNOFILE)");
  }
  ~WakeUp() { ::close(descriptor_); }
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;

  int descriptor() const { return descriptor_; }
  void ring() const {
    const uint64_t one = 1;
    (void)!::write(descriptor_, &one, sizeof one);
  }
  void answer() const {
    uint64_t rings;
    (void)!::read(descriptor_, &rings, sizeof rings);
  }

 private:
  const int descriptor_;
};

}  // namespace xmpp
