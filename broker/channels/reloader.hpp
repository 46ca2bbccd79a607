// Reloader puts a fresh instance in the place of a running one, without a gap: blue/green, as the plugin ABI has it.
//
//   copy, check, load    the plugin's file under a new name, tried in a child first (Loader)
//   config               the settings against the schema of the plugin as it is now; its capabilities against the old
//                        one's, which routing has built upon
//   create, start, ready the fresh instance beside the old one, until it says READY; its presence is kept back
//   switch               Seat: new messages and callbacks go to the fresh one, presence too (PresenceGate), and the
//                        kernel gives new connections to the listening sockets that it uses; those are the same
//                        descriptors as before (Listeners), so that nobody in the backlog notices
//   drain, stop          the old one finishes what it has, says goodbye to its devices, and ends
//
// If a step fails before the switch, the fresh instance is stopped and the old one serves as before; the report names
// the step. What is out with the old instance is settled by it: each instance has its own tickets, all lead to the same
// sink. Receipts of what it sent find their message whoever brings them, because they go by the vendor's id. What is
// stored (godwit.kv) belongs to the channel; writes are versioned, so two instances do not overwrite each other unseen.
//
// One thread (`reload`) does one job after the other and looks after those that leave meanwhile, so that the thread
// that takes signals never waits for a plugin. The calls are safe from any thread; every `done` is called exactly once.
// A job that waits when stop() comes is answered without being done.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/base/callback.hpp"
#include "broker/channels/instance_maker.hpp"
#include "broker/channels/seat.hpp"

namespace godwit::channels {

class Reloader {
 public:
  using Seats = std::vector<std::unique_ptr<Seat>>;
  struct Patience {
    std::chrono::milliseconds ready, drain, stop;
  };
  Reloader(Seats& seats, InstanceMaker& maker, const Clock& clock, Patience patience)
      : seats_(seats), maker_(maker), clock_(clock), patience_(patience) {}
  ~Reloader() { stop(); }

  void start(ChannelSink& sink);
  void reload(ChannelNo channel, Callback<void(ReloadReport)> done);
  // Live changes are applied, channels with other changes or another file are reloaded.
  void reconfigure(std::vector<ChannelConfig> channels, Callback<void(std::vector<ChannelFault>)> done);
  // Returns when the thread has ended. What still leaves is left to the caller.
  void stop();

 private:
  using Job = Callback<void(bool stopping)>;
  struct Leaving {
    ChannelNo channel;
    std::shared_ptr<Instance> instance;
    std::chrono::steady_clock::time_point since;
  };
  void post(Job job);
  void run();
  bool is_stopping() const { return stopping_.load(); }

  void reconfigure_one(ChannelNo channel, const ChannelConfig& config, std::vector<ChannelFault>& faults);
  ReloadReport replace(ChannelNo channel, ChannelConfig config);
  void prepare(ChannelNo channel, const ChannelConfig& config, std::shared_ptr<Instance>& fresh, ReloadReport& report);
  void wait_ready(const Instance& fresh, ReloadReport& report);
  bool serve(Instance& fresh);
  void end(ChannelNo channel, const std::shared_ptr<Instance>& instance);
  void look_after_leaving();

  Seats& seats_;
  InstanceMaker& maker_;
  const Clock& clock_;
  const Patience patience_;
  ChannelSink* sink_ = nullptr;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;  // guarded by mutex_
  bool running_ = false;  // guarded by mutex_
  std::atomic<bool> stopping_{false};
  std::vector<Leaving> leaving_;  // the thread's own
  std::thread thread_;
};

}  // namespace godwit::channels
