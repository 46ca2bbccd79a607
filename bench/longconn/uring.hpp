// Uring is as much of io_uring as the comparison with epoll needs, on the bare system calls (Debian 12 has no liburing
// of the kernel's age): one ring, batched sends, receives that stay armed and take their buffers from a pool.
//
// One thread. open() says no where the kernel lacks something (io_uring(7); multishot receive needs Linux 6.0).
#pragma once

#include <linux/io_uring.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace godwit::bench {

class Uring {
 public:
  Uring() = default;
  ~Uring();
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;

  bool open(uint32_t entries, uint32_t buffers, uint32_t buffer_size);

  // Queue; submits by itself when the queue is full. A send says nothing when it succeeds.
  void send(int fd, const void* bytes, uint32_t size);
  void receive(int fd, uint64_t name);
  // Submits what is queued and waits for at least one completion.
  void submit_and_wait();

  // visit(name, result, is_armed): of receives, and of sends that failed (name kSend).
  static constexpr uint64_t kSend = ~uint64_t{0};
  template <class Visit>
  void completions(Visit visit) {
    uint32_t head = *cq_head_;
    while (head != __atomic_load_n(cq_tail_, __ATOMIC_ACQUIRE)) {
      const io_uring_cqe cqe = cqes_[head++ & cq_mask_];
      visit(cqe.user_data, cqe.res, (cqe.flags & IORING_CQE_F_MORE) != 0);
      if (cqe.flags & IORING_CQE_F_BUFFER) give_back(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
    }
    __atomic_store_n(cq_head_, head, __ATOMIC_RELEASE);
  }

 private:
  io_uring_sqe& next();
  void enter(uint32_t wait_for);
  void give_back(uint32_t buffer);

  int fd_ = -1;
  uint32_t *sq_head_ = nullptr, *sq_tail_ = nullptr, *cq_head_ = nullptr, *cq_tail_ = nullptr;
  uint32_t sq_mask_ = 0, cq_mask_ = 0, queued_ = 0;
  io_uring_sqe* sqes_ = nullptr;
  io_uring_cqe* cqes_ = nullptr;
  io_uring_buf_ring* pool_ = nullptr;
  uint32_t pool_mask_ = 0, buffer_size_ = 0;
  std::vector<uint8_t> buffers_;
};

}  // namespace godwit::bench
