#include "bench/longconn/uring.hpp"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace godwit::bench {
namespace {

void* map(size_t size, int fd, off_t what) {
  void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);
  return at == MAP_FAILED ? nullptr : at;
}
template <class T>
T* at(void* ring, uint32_t offset) {
  return reinterpret_cast<T*>(static_cast<uint8_t*>(ring) + offset);
}

}  // namespace

Uring::~Uring() {
  if (fd_ >= 0) ::close(fd_);  // the process ends soon after: mappings go with it
}

bool Uring::open(uint32_t entries, uint32_t buffers, uint32_t buffer_size) {
  io_uring_params p{};
  p.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
  p.cq_entries = entries * 16;
  fd_ = static_cast<int>(::syscall(SYS_io_uring_setup, entries, &p));
  if (fd_ < 0) return false;
  void* const sq = map(p.sq_off.array + p.sq_entries * sizeof(uint32_t), fd_, IORING_OFF_SQ_RING);
  void* const cq = map(p.cq_off.cqes + p.cq_entries * sizeof(io_uring_cqe), fd_, IORING_OFF_CQ_RING);
  sqes_ = static_cast<io_uring_sqe*>(map(p.sq_entries * sizeof(io_uring_sqe), fd_, IORING_OFF_SQES));
  if (!sq || !cq || !sqes_) return false;
  sq_head_ = at<uint32_t>(sq, p.sq_off.head);
  sq_tail_ = at<uint32_t>(sq, p.sq_off.tail);
  sq_mask_ = *at<uint32_t>(sq, p.sq_off.ring_mask);
  for (uint32_t i = 0; i < p.sq_entries; ++i) at<uint32_t>(sq, p.sq_off.array)[i] = i;
  cq_head_ = at<uint32_t>(cq, p.cq_off.head);
  cq_tail_ = at<uint32_t>(cq, p.cq_off.tail);
  cq_mask_ = *at<uint32_t>(cq, p.cq_off.ring_mask);
  cqes_ = at<io_uring_cqe>(cq, p.cq_off.cqes);

  pool_ = static_cast<io_uring_buf_ring*>(
      ::mmap(nullptr, buffers * sizeof(io_uring_buf), PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0));
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<uint64_t>(pool_);
  registration.ring_entries = buffers;
  if (::syscall(SYS_io_uring_register, fd_, IORING_REGISTER_PBUF_RING, &registration, 1) < 0) return false;
  pool_mask_ = buffers - 1;
  buffer_size_ = buffer_size;
  buffers_.resize(size_t{buffers} * buffer_size);
  for (uint32_t i = 0; i < buffers; ++i) give_back(i);
  return true;
}

void Uring::give_back(uint32_t buffer) {
  // Not pool_->bufs: in C++ the kernel's header puts an empty struct of one byte in front of it.
  auto* const entries = reinterpret_cast<io_uring_buf*>(pool_);
  const uint16_t tail = pool_->tail;
  io_uring_buf& entry = entries[tail & pool_mask_];
  entry.addr = reinterpret_cast<uint64_t>(buffers_.data() + size_t{buffer} * buffer_size_);
  entry.len = buffer_size_;
  entry.bid = static_cast<uint16_t>(buffer);
  __atomic_store_n(&pool_->tail, static_cast<uint16_t>(tail + 1), __ATOMIC_RELEASE);
}

io_uring_sqe& Uring::next() {
  if (queued_ > sq_mask_) enter(0);
  const uint32_t tail = *sq_tail_ + queued_++;
  io_uring_sqe& sqe = sqes_[tail & sq_mask_];
  sqe = {};
  return sqe;
}

void Uring::send(int fd, const void* bytes, uint32_t size) {
  io_uring_sqe& sqe = next();
  sqe.opcode = IORING_OP_SEND;
  sqe.flags = IOSQE_CQE_SKIP_SUCCESS;
  sqe.fd = fd;
  sqe.addr = reinterpret_cast<uint64_t>(bytes);
  sqe.len = size;
  sqe.msg_flags = MSG_NOSIGNAL;
  sqe.user_data = kSend;
}

void Uring::receive(int fd, uint64_t name) {
  io_uring_sqe& sqe = next();
  sqe.opcode = IORING_OP_RECV;
  sqe.flags = IOSQE_BUFFER_SELECT;
  sqe.ioprio = IORING_RECV_MULTISHOT;
  sqe.fd = fd;
  sqe.user_data = name;
}

void Uring::enter(uint32_t wait_for) {
  __atomic_store_n(sq_tail_, *sq_tail_ + queued_, __ATOMIC_RELEASE);
  while (queued_ > 0 || wait_for > 0) {
    const long done = ::syscall(SYS_io_uring_enter, fd_, queued_, wait_for, IORING_ENTER_GETEVENTS, nullptr, 0);
    if (done < 0) {
      std::perror("io_uring_enter");
      std::exit(1);
    }
    queued_ -= static_cast<uint32_t>(done);
    wait_for = 0;
  }
}

void Uring::submit_and_wait() {
  enter(1);
}

}  // namespace godwit::bench
