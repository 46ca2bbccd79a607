#include "broker/storage/memory/memory_journal.hpp"

#include <algorithm>

#include "broker/storage/batch.hpp"

namespace godwit {

Result<Opened> MemoryJournal::open() {
  std::lock_guard lock(mutex_);
  is_open_ = true;
  poisoned_ = false;
  const Segment& last = segments_.back();
  if (!last.batches.empty()) head_ = last.batches.back().offset + last.batches.back().count;
  return Opened{++epoch_, head_};
}

Appended MemoryJournal::append(std::string_view records, uint32_t count, WallMs now) {
  std::lock_guard lock(mutex_);
  if (!is_open_) return {Fate::failed, 0, "the journal is not open"};
  if (poisoned_) return {Fate::unknown, 0, "an earlier append had an unknown fate; restart to find out"};
  if (count == 0 || count_records(records) != count) return {Fate::failed, 0, "these are not `count` whole records"};
  const std::optional<AppendFault> fault = next_fault();
  if (fault == AppendFault::failed) return {Fate::failed, 0, "injected: no space"};
  if (fault) poisoned_ = true;
  if (fault == AppendFault::unknown_lost) return {Fate::unknown, 0, "injected: lost"};

  if (segments_.back().bytes >= segment_bytes_) segments_.push_back(Segment{.first_offset = head_, .batches = {}});
  StoredBatch batch{head_, count, now, std::make_shared<std::string>()};
  encode_batch(*batch.bytes, {.epoch = epoch_, .offset = head_, .count = count, .written_ms = now}, records);
  segments_.back().bytes += batch.bytes->size();
  segments_.back().batches.push_back(std::move(batch));
  if (fault) return {Fate::unknown, 0, "injected: the answer was lost"};  // not seen before open() resolves it
  const uint64_t offset = head_;
  head_ += count;
  return {Fate::ok, offset, {}};
}

std::optional<AppendFault> MemoryJournal::next_fault() {
  if (!planned_.empty()) {
    const AppendFault fault = planned_.front();
    planned_.pop_front();
    return fault;
  }
  if (!random_) return std::nullopt;
  double dice = random_->uniform();
  if ((dice -= rates_.failed) < 0) return AppendFault::failed;
  if ((dice -= rates_.unknown_lost) < 0) return AppendFault::unknown_lost;
  if ((dice -= rates_.unknown_kept) < 0) return AppendFault::unknown_kept;
  return std::nullopt;
}

Result<void> MemoryJournal::read(uint64_t from, const Sink& sink) {
  uint64_t end;
  {
    std::lock_guard lock(mutex_);
    end = head_;
  }
  if (from > end)
    return Error{Code::invalid, "the journal ends at " + std::to_string(end), "offset " + std::to_string(from)};
  uint64_t next = from;
  while (const std::optional<StoredBatch> stored = batch_at_or_after(next)) {
    if (stored->offset >= end) break;
    next = stored->offset + stored->count;
    const Result<Batch> batch = decode_batch(*stored->bytes);
    if (!batch) {
      note_damage(stored->offset);
      continue;
    }
    RecordReader reader(batch->records);
    for (uint32_t i = 0; const auto record = reader.next(); ++i) {
      if (stored->offset + i < from) continue;
      if (!sink({stored->offset, i}, *record)) return {};
    }
  }
  return {};
}

// The batch that holds `offset`, or the first after it.
std::optional<MemoryJournal::StoredBatch> MemoryJournal::batch_at_or_after(uint64_t offset) const {
  std::lock_guard lock(mutex_);
  const auto ends_before = [](const auto& x, uint64_t wanted) { return x.offset + x.count <= wanted; };
  for (const Segment& segment : segments_) {
    const auto found = std::lower_bound(segment.batches.begin(), segment.batches.end(), offset, ends_before);
    if (found != segment.batches.end()) return *found;
  }
  return std::nullopt;
}

Result<void> MemoryJournal::trim(uint64_t before) {
  std::lock_guard lock(mutex_);
  while (segments_.size() > 1 && segments_[1].first_offset <= before) segments_.pop_front();
  return {};
}

std::vector<SegmentInfo> MemoryJournal::segments() const {
  std::lock_guard lock(mutex_);
  std::vector<SegmentInfo> out;
  for (size_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    const bool live = i + 1 == segments_.size();
    SegmentInfo info{
        .first_offset = segment.first_offset, .bytes = segment.bytes, .live = live, .damaged = segment.damaged};
    info.end_offset = live ? head_ : segments_[i + 1].first_offset;
    if (!segment.batches.empty()) {
      info.first_ms = segment.batches.front().written_ms;
      info.last_ms = segment.batches.back().written_ms;
    }
    out.push_back(info);
  }
  return out;
}

void MemoryJournal::fail_next_append(AppendFault fault) {
  std::lock_guard lock(mutex_);
  planned_.push_back(fault);
}

void MemoryJournal::fail_by_seed(uint64_t seed, AppendFaultRates rates) {
  std::lock_guard lock(mutex_);
  random_.emplace(seed);
  rates_ = rates;
}

void MemoryJournal::damage(uint64_t offset) {
  std::lock_guard lock(mutex_);
  for (Segment& segment : segments_) {
    for (StoredBatch& batch : segment.batches) {
      if (batch.offset != offset) continue;
      auto flipped = std::make_shared<std::string>(*batch.bytes);  // readers may hold the old one
      (*flipped)[flipped->size() / 2] ^= 0x10;
      batch.bytes = std::move(flipped);
    }
  }
}

void MemoryJournal::note_damage(uint64_t offset) {
  std::lock_guard lock(mutex_);
  for (Segment& segment : segments_) {
    for (const StoredBatch& batch : segment.batches) segment.damaged |= batch.offset == offset;
  }
}

}  // namespace godwit
