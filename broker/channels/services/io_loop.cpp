#include "broker/channels/services/io_loop.hpp"

#include "broker/base/thread.hpp"

namespace godwit::channels {

IoLoop::IoLoop() {
  thread_ = start_thread("plugin-io", [this] { run(); });
}

IoLoop::~IoLoop() {
  stop();
}

uint64_t IoLoop::add(int fd, uint32_t events, Ready ready) {
  std::lock_guard lock(mutex_);
  if (stopping_ || by_fd_.contains(fd)) return 0;
  const uint64_t id = ++last_;
  watches_.emplace(id, Watch{fd, std::make_shared<const Ready>(std::move(ready))});
  by_fd_.emplace(fd, id);
  if (poller_.set(fd, events, true) == 0) return id;
  watches_.erase(id);
  by_fd_.erase(fd);
  return 0;
}

bool IoLoop::rearm(uint64_t id, uint32_t events) {
  std::lock_guard lock(mutex_);
  const auto found = watches_.find(id);
  return found != watches_.end() && poller_.set(found->second.fd, events, true) == 0;
}

void IoLoop::remove(uint64_t id) {
  std::lock_guard lock(mutex_);
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  poller_.remove(found->second.fd);
  by_fd_.erase(found->second.fd);
  watches_.erase(found);
}

void IoLoop::run() {
  while (true) {
    for (const net::Poller::Ready& event : poller_.wait(-1)) {
      std::shared_ptr<const Ready> ready;
      {
        std::lock_guard lock(mutex_);
        if (const auto found = by_fd_.find(event.fd); found != by_fd_.end()) ready = watches_.at(found->second).ready;
      }
      if (ready) (*ready)(event.events);
    }
    std::lock_guard lock(mutex_);
    if (stopping_) return;
  }
}

void IoLoop::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  poller_.wake();
  if (thread_.joinable()) thread_.join();
}

}  // namespace godwit::channels
