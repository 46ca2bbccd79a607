// RegistryWriter: every change to the registry is durable before it is applied, and changes of one device follow one
// another, so that each is made from what the one before it left.
//
// Engine's thread only. After `applied` has run for a change its own `done` is called.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>

#include "broker/base/callback.hpp"
#include "broker/base/result.hpp"
#include "broker/registry/registry.hpp"
#include "broker/storage/ledger.hpp"

namespace godwit::engine {

class RegistryWriter {
 public:
  using Post = std::function<void(Callback<void()>)>;  // to the engine's thread, from any thread
  using Applied = std::function<void(const RegistryChange&)>;
  using Make = Callback<Result<std::string>()>;
  using Done = Callback<void(Result<RegistryChange>)>;
  RegistryWriter(Registry& registry, Ledger& ledger, Post post, Applied applied);

  // `make` is called when no other change of that device is under way: it returns the record, or why there is none.
  void change(const std::string& app, const std::string& device_id, Make make, Done done);

  // What a vendor told us: nobody waits for it, and it is never refused.
  void fact(std::string record);
  uint64_t facts() const { return facts_written_; }        // so far
  void when_facts_are_durable(Callback<void(Fate)> done);  // those written so far
  bool idle() const { return busy_.empty(); }              // but for facts

 private:
  struct Change {
    std::string device, record;
    Make make;
    Done done;
  };
  bool begin(Change change);
  void begin_next(const std::string& device);
  void on_fact(const std::string& record, Fate fate, RecordRef first);

  Registry& registry_;
  Ledger& ledger_;
  const Post post_;
  const Applied applied_;
  // By device: what waits behind the change that is under way.
  std::unordered_map<std::string, std::deque<Change>> busy_;
  uint64_t facts_written_ = 0, facts_settled_ = 0;
  std::deque<std::pair<uint64_t, Callback<void(Fate)>>> fact_waiters_;  // until so many facts are settled
};

}  // namespace godwit::engine
