// Mailbox is the only way into a shard from another thread: what is put in is taken out all at once by the shard.
//
// A put wakes the shard's epoll through an eventfd, once for everything that is put in until the shard looks; so a
// batch of a thousand messages costs one system call. put() is safe from any thread; take() is the shard's.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <godwit/batch.hpp>

#include "plugins/selfconn/codec/types.hpp"
#include "plugins/selfconn/stream/stream.hpp"

namespace selfconn {

// A message for a device of this shard; `hash` is of its address.
struct Handover {
  godwit::Pending message;
  uint64_t hash;
};

// A device whose credential was checked, on its way to the shard that its address belongs to. Owns the socket.
struct Admission {
  Admission() = default;
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  ~Admission();

  int fd = -1;
  std::unique_ptr<Stream> stream;
  std::string address;
  uint64_t hash = 0;
  godwit::mqtt::Version version = godwit::mqtt::Version::v3_1_1;
  bool clean_start = true;
  uint32_t network = 0;
  uint16_t keep_alive_s = 0;
  uint16_t receive_maximum = 65'535;
  uint16_t topic_alias_maximum = 0;
  uint32_t max_packet = 0;
  uint32_t session_expiry_s = 0;
  uint32_t expires_wall_s = 0;
  uint32_t credential_generation = 0;
  std::vector<uint8_t> behind;  // what came behind CONNECT
};

struct DrainOrder {
  uint64_t deadline_mono_ns = 0;
};

struct Mail {
  std::vector<Handover> handovers;
  std::vector<std::unique_ptr<Admission>> admissions;
  std::vector<uint64_t> cancels;  // tickets
  bool tick = false;              // time went on
  bool event_room = false;        // the host takes events again
  bool drain = false;
  DrainOrder drain_order;
  bool stop = false;

  void clear() {
    handovers.clear();
    admissions.clear();
    cancels.clear();
    tick = event_room = drain = stop = false;
  }
};

class Mailbox {
 public:
  Mailbox() = default;
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Before the first put(). Throws when there is no descriptor left.
  void open();
  int wake_fd() const { return wake_fd_; }

  template <class Fill>
  void put(Fill fill) {
    bool wake;
    {
      std::lock_guard lock(mutex_);
      fill(mail_);
      wake = !is_noticed_;
      is_noticed_ = true;
    }
    if (wake) ring();
  }

  // Swaps the contents with `empty`, whose capacity is used for the next mail.
  void take(Mail& empty);

 private:
  void ring();

  int wake_fd_ = -1;
  std::mutex mutex_;
  Mail mail_;                // guarded by mutex_
  bool is_noticed_ = false;  // guarded by mutex_: the eventfd was written and take() has not come
};

}  // namespace selfconn
