// Reading: from records to what is known of each message.
#include <algorithm>
#include <charconv>

#include "broker/engine/recovery.hpp"

namespace godwit::engine {

Result<RecoveryReport> Core::recover() {
  return Recovery(*this).run();
}

Result<RecoveryReport> Recovery::run() {
  const MonoNs started = core_.parts_.clock.mono_ns();
  auto loaded = core_.registry_.load(core_.parts_.catalogue);
  if (!loaded) return std::move(loaded).error().with("loading the registry");
  if (auto restored = restore_router(); !restored) return std::move(restored).error();
  core_.add_channels_to_router();

  uint64_t replay_from = 0;
  auto stored = core_.parts_.catalogue.get_value(kReplayFromKey);
  if (!stored) return std::move(stored).error().with("reading the replay position");
  if (*stored) std::from_chars((*stored)->data(), (*stored)->data() + (*stored)->size(), replay_from);
  if (auto same = check_the_journal_reaches(std::max(replay_from, loaded->newest_version)); !same)
    return std::move(same).error();
  const uint64_t from = start_of_keys(replay_from);
  auto read_all = core_.parts_.journal.read(from, [&](RecordRef ref, const RecordView& record) {
    ++report_.records;
    if (record.type == RecordType::accept || record.type == RecordType::carry) read_key(record);
    if (ref.offset + ref.index >= replay_from) read(ref, record);
    return true;
  });
  if (!read_all) return std::move(read_all).error().with("replaying the journal");

  core_.device_channels_.resize(core_.registry_.end());
  for (DeviceNo no = 0; no < core_.registry_.end(); ++no)
    if (core_.registry_.exists(no)) core_.load_device(no);

  std::vector<Found*> in_order;
  in_order.reserve(found_.size());
  for (auto& [id, found] : found_) in_order.push_back(&found);
  std::sort(in_order.begin(), in_order.end(), [](const Found* a, const Found* b) {
    return a->message.accepted_ms != b->message.accepted_ms ? a->message.accepted_ms < b->message.accepted_ms
                                                            : a->position < b->position;
  });
  core_.recovering_ = true;
  for (Found* found : in_order) reopen(*found);
  core_.recovering_ = false;

  report_.devices = core_.registry_.size();
  report_.open_messages = core_.book_.open_messages();
  report_.open_deliveries = core_.book_.open_deliveries();
  report_.idempotency_keys = core_.intake_.keys().size();
  report_.seconds = static_cast<double>(core_.parts_.clock.mono_ns() - started) / kNsPerSecond;
  return report_;
}

// A journal that ends before what the registry has seen is not the one it was made with, or has lost files: new records
// would be taken for seen, and devices would silently stay as they are.
Result<void> Recovery::check_the_journal_reaches(uint64_t seen) const {
  const auto segments = core_.parts_.journal.segments();
  const uint64_t head = segments.empty() ? 0 : segments.back().end_offset;
  if (seen <= head) return {};
  return Error{Code::conflict,
               "the journal ends at record " + std::to_string(head) + ", but the registry has seen record " +
                   std::to_string(seen) + ": files of the journal are missing or of another broker. Bring back the " +
                   "journal folder and registry.db of the same backup, or start with an empty data_dir",
               "data_dir"};
}

// A snapshot that cannot be read costs what was learned, not the start.
Result<void> Recovery::restore_router() {
  auto stored = core_.parts_.catalogue.get_value(kRouterKey);
  if (!stored) return std::move(stored).error().with("reading the router's statistics");
  if (!*stored) return {};
  if (auto restored = core_.router_.restore(**stored, core_.now_, core_.wall_); !restored)
    report_.faults.push_back("the router's statistics are damaged and start anew: " + restored.error().message);
  return {};
}

// Keys live as long as their window, wherever replay begins: the oldest segment that can hold one.
uint64_t Recovery::start_of_keys(uint64_t replay_from) const {
  const WallMs oldest = core_.wall_ - core_.options_.idempotency_ms;
  uint64_t from = replay_from;
  for (const SegmentInfo& segment : core_.parts_.journal.segments())
    if (segment.last_ms >= oldest) from = std::min(from, segment.first_offset);
  return from;
}

void Recovery::read_key(const RecordView& record) {
  const auto header = records::get_accept_header(record.body);
  if (!header || header->idempotency_key == Hash128{}) return;
  core_.intake_.keys().restore(header->idempotency_key, header->body_hash, header->id, header->accepted_ms,
                               core_.wall_);
}

void Recovery::read(RecordRef ref, const RecordView& record) {
  const uint64_t position = ref.offset + ref.index;
  if (record.type == RecordType::checkpoint) return;
  if (record.type == RecordType::registry) {
    report_.damaged_records += !core_.registry_.apply(record.body, position).ok();
    return;
  }
  const auto id = records::get_id(record.body);
  if (!id) {
    ++report_.damaged_records;
    return;
  }
  auto it = found_.find(*id);
  if (it == found_.end()) {
    // Later words about a message that had ended before the replay position: nothing to reopen.
    if (record.type != RecordType::accept && record.type != RecordType::carry) return;
    it = found_.try_emplace(*id).first;
  }
  if (it->second.fold(position, record)) return;
  ++report_.damaged_records;
  if (!it->second.accepted) found_.erase(it);
}

}  // namespace godwit::engine
