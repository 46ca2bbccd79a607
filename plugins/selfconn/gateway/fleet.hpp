// Fleet is what the shards of one gateway share: constants, the way to the host, each other's mailboxes, a few numbers.
//
// Everything is constant after start or atomic, so any thread may read it.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

#include <godwit/host.hpp>
#include <godwit/services/credential.hpp>

#include "plugins/selfconn/gateway/counters.hpp"
#include "plugins/selfconn/gateway/mailbox.hpp"
#include "plugins/selfconn/gateway/settings.hpp"
#include "plugins/selfconn/stream/tls_files.hpp"

namespace selfconn {

struct Fleet {
  Fleet(godwit::Host host_, Settings settings_);

  uint64_t hash_of(std::string_view address) const;
  // Which shard owns all connections of a device: so a takeover never leaves a thread, and nothing needs a lock.
  uint32_t home_of(uint64_t hash) const { return static_cast<uint32_t>((hash >> 32) * mailboxes.size() >> 32); }

  // Grows over restarts too, so that a reloaded plugin's presence is newer than the old one's.
  uint64_t next_seq() { return seq.fetch_add(1, std::memory_order_relaxed) + 1; }

  // Time only matters to connections: ticks are asked for when one comes and end by themselves when none is left.
  void want_ticks() {
    if (!ticking.exchange(true)) host.post([this] { arm_tick(); });
  }
  void arm_tick() { host.timer_arm(kTickNs, 0); }

  const godwit::Host host;
  const godwit::Credentials credentials;
  const Settings settings;
  const uint64_t hash_seed;  // devices choose their ids; they must not choose their places in our tables
  std::vector<std::unique_ptr<Mailbox>> mailboxes;  // by shard, constant
  std::vector<std::unique_ptr<Counters>> counters;  // by shard, constant

  TlsFiles tls_files;                     // the lane's
  std::atomic<TlsContext*> tls{nullptr};  // for new connections; null without a TLS listener

  std::atomic<uint64_t> seq;
  std::atomic<uint32_t> open{0};  // sockets
  std::atomic<uint32_t> live{0};  // devices
  std::atomic<uint32_t> shards_to_drain{0};
  std::atomic<bool> ticking{false};  // a timer is armed or about to be
};

}  // namespace selfconn
