// Gateway is what the channel sees of all this: the threads, and one door for each thing that the host may ask.
//
// start, submit, cancel, tick, look_at_files, event_room, drain and stop belong to the lane; totals() may be called from anywhere.
// Every message that submit took is settled exactly once, the last ones within stop().
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include <godwit/batch.hpp>
#include <godwit/result.hpp>

#include "plugins/selfconn/gateway/fleet.hpp"

namespace selfconn {

struct Shard;

struct Totals {
  uint64_t open = 0, live = 0;
  uint64_t accepted = 0, rate_limited = 0, connected = 0, refused = 0, takeovers = 0, timed_out = 0, faults = 0;
  uint64_t sent = 0, acknowledged = 0, unknown_acks = 0, events = 0, bad_events = 0;
};

class Gateway {
 public:
  Gateway(godwit::Host host, Settings settings);
  ~Gateway();  // REQUIRES: stop() was called if start() was

  // Asks the host for the listening sockets and starts the threads. On failure nothing runs, and the error names the
  // property and the remedy.
  godwit::Result<void> start();

  void submit(godwit::Batch& batch);
  void cancel(uint64_t ticket);
  void on_timer();  // every 250 ms while there are connections
  void look_at_files();  // once a minute: a renewed certificate
  void event_room();
  void drain(uint64_t deadline_mono_ns);
  void stop();

  Totals totals() const;
  uint32_t reactors() const;

 private:
  godwit::Result<void> listen_everywhere();
  godwit::Result<void> listen(const char* name, const char* property, std::string address, bool is_tls,
                              bool is_websocket);

  Fleet fleet_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::vector<Handover>> by_shard_;  // of the batch at hand; kept for its capacity
  std::vector<std::thread> threads_;
};

}  // namespace selfconn
