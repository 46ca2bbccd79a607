#include "broker/channels/services/io_loop.hpp"

#include "broker/base/thread.hpp"

namespace godwit::channels {

IoLoop::IoLoop() {
  thread_ = start_thread("plugin-io", [this] { run(); });
}

IoLoop::~IoLoop() {
  stop();
}

uint64_t IoLoop::add(const void* owner, int fd, uint32_t events, Ready ready) {
  std::lock_guard lock(mutex_);
  if (stopping_) return 0;
  if (const auto known = by_fd_.find(fd); known != by_fd_.end())
    for (const uint64_t other : known->second)
      if (watches_.at(other).owner == owner) return 0;
  if (poller_.set(fd, events, true) != 0) return 0;
  const uint64_t id = ++last_;
  watches_.emplace(id, Watch{owner, fd, events, std::make_shared<const Ready>(std::move(ready))});
  by_fd_[fd].push_back(id);
  return id;
}

bool IoLoop::rearm(uint64_t id, uint32_t events) {
  std::lock_guard lock(mutex_);
  const auto found = watches_.find(id);
  if (found == watches_.end()) return false;
  found->second.events = events;
  const int fd = found->second.fd;
  return by_fd_.at(fd).back() != id || poller_.set(fd, events, true) == 0;
}

void IoLoop::remove(uint64_t id) {
  std::lock_guard lock(mutex_);
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;
  const int fd = found->second.fd;
  std::vector<uint64_t>& all = by_fd_.at(fd);
  const bool was_newest = all.back() == id;
  std::erase(all, id);
  watches_.erase(found);
  if (all.empty()) {
    poller_.remove(fd);
    by_fd_.erase(fd);
  } else if (const uint32_t events = watches_.at(all.back()).events; was_newest && events != 0) {
    (void)poller_.set(fd, events, true);
  }
}

void IoLoop::run() {
  while (true) {
    for (const net::Poller::Ready& event : poller_.wait(-1)) {
      std::shared_ptr<const Ready> ready;
      {
        std::lock_guard lock(mutex_);
        if (const auto found = by_fd_.find(event.fd); found != by_fd_.end()) {
          Watch& watch = watches_.at(found->second.back());
          watch.events = 0;
          ready = watch.ready;
        }
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
