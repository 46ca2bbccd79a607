#include "broker/engine/registry_writer.hpp"

#include <memory>

#include "broker/engine/journal_error.hpp"
#include "broker/storage/record.hpp"

namespace godwit::engine {

RegistryWriter::RegistryWriter(Registry& registry, Ledger& ledger, Post post, Applied applied)
    : registry_(registry), ledger_(ledger), post_(std::move(post)), applied_(std::move(applied)) {}

void RegistryWriter::change(const std::string& app, const std::string& device_id, Make make, Done done) {
  Change change{app + '\0' + device_id, {}, std::move(make), std::move(done)};
  const auto [it, free] = busy_.try_emplace(change.device);
  if (!free) return it->second.push_back(std::move(change));
  const std::string device = change.device;
  if (!begin(std::move(change))) begin_next(device);
}

// False when it ended at once.
bool RegistryWriter::begin(Change change) {
  Result<std::string> record = change.make();
  if (!record) {
    change.done(std::move(record).error());
    return false;
  }
  change.record = std::move(*record);
  std::string bytes;
  append_record(bytes, RecordType::registry, 0, change.record);
  const auto shared = std::make_shared<Change>(std::move(change));
  auto committed = [this, shared](Fate fate, RecordRef first) {
    post_([this, shared, fate, first] {
      if (fate == Fate::ok) {
        auto applied = registry_.apply(shared->record, first.offset + first.index);
        if (applied) applied_(*applied);
        shared->done(std::move(applied));
      } else {
        shared->done(journal_error(fate));
      }
      begin_next(shared->device);
    });
  };
  if (ledger_.submit(std::move(bytes), 1, std::move(committed))) return true;
  shared->done(journal_behind());
  return false;
}

void RegistryWriter::begin_next(const std::string& device) {
  while (true) {
    const auto it = busy_.find(device);
    if (it->second.empty()) {
      busy_.erase(it);
      return;
    }
    Change next = std::move(it->second.front());
    it->second.pop_front();
    if (begin(std::move(next))) return;
  }
}

void RegistryWriter::fact(std::string record) {
  std::string bytes;
  append_record(bytes, RecordType::registry, 0, record);
  ++facts_written_;
  ledger_.submit_lazy(std::move(bytes), 1, [this, record = std::move(record)](Fate fate, RecordRef first) mutable {
    post_([this, record = std::move(record), fate, first] { on_fact(record, fate, first); });
  });
}

void RegistryWriter::on_fact(const std::string& record, Fate fate, RecordRef first) {
  if (fate == Fate::ok)
    if (const auto change = registry_.apply(record, first.offset + first.index)) applied_(*change);
  ++facts_settled_;  // in the order in which they were written
  while (!fact_waiters_.empty() && fact_waiters_.front().first <= facts_settled_) {
    auto done = std::move(fact_waiters_.front().second);
    fact_waiters_.pop_front();
    done(fate);
  }
}

void RegistryWriter::when_facts_are_durable(Callback<void(Fate)> done) {
  fact_waiters_.emplace_back(facts_written_, std::move(done));
}

}  // namespace godwit::engine
