// Checkpointer: what a restart has to replay is kept short, and old segments of the journal can go.
//
// One checkpoint at a time, in slices on the engine's thread: the registry's dirty rows go to the catalogue
// (background), open messages that lie in old segments are written again (CARRY), then the replay position is recorded.
// A restart in the middle finds the old position, which is still true; so does one after a write that failed. The
// router's statistics are saved on the way, now and then.
//
// It knows which messages there are and where they lie in the journal; what a CARRY says of one is told by the engine.
// Engine's thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/engine/engine.hpp"
#include "broker/engine/message_book.hpp"
#include "broker/engine/slow_jobs.hpp"
#include "broker/registry/registry.hpp"
#include "broker/routing/router.hpp"

namespace godwit::engine {

class Checkpointer {
 public:
  // What it asks of the engine.
  struct Hooks {
    std::function<void(Callback<void()>)> post;  // to the engine's thread, from any thread
    std::function<void()> flush;                 // what was said so far goes to the ledger
    std::function<void(const MessageEntry&, std::string& body)> carry;
  };
  Checkpointer(const EngineOptions&, const EngineParts&, EngineStats&, Registry&, routing::Router&, MessageBook&,
               SlowJobs&, Hooks hooks);
  ~Checkpointer();

  void grown(uint64_t bytes) { bytes_since_ += bytes; }  // so much more is to be replayed
  void look(MonoNs now);                                 // each turn: begins a checkpoint when one is due
  // Writes what is dirty and a CHECKPOINT; `done` when both are durable, or have failed.
  void begin(Callback<void()> done);
  void prepare_stop() { stopping_ = true, next_router_save_ns_ = 0; }  // the next one is the last

 private:
  struct Job;
  void begin_job(std::vector<SegmentInfo> segments);
  void flush_rows();
  void carry_slice();
  void on_carried(const std::vector<MessageId>& ids, Fate fate, RecordRef first);
  void write_checkpoint();
  void record_replay_position();
  void trim_journal();
  void end();
  void save_router();

  const EngineOptions& options_;
  const EngineParts& parts_;
  EngineStats& stats_;
  Registry& registry_;
  routing::Router& router_;
  MessageBook& book_;
  SlowJobs& jobs_;
  const Hooks hooks_;

  std::unique_ptr<Job> job_;
  std::vector<Callback<void()>> next_;  // who wants to see one written that begins after `job_`
  MonoNs next_ns_ = 0, next_router_save_ns_ = 0;
  uint64_t bytes_since_ = 0;
  bool stopping_ = false;
};

}  // namespace godwit::engine
