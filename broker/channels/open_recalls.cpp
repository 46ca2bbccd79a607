#include "broker/channels/open_recalls.hpp"

#include "broker/channels/abi_text.hpp"

namespace godwit::channels {
namespace {

constexpr size_t kKeptDetail = 256;  // bytes of a vendor's words

}  // namespace

void* OpenRecalls::open(Done done) {
  std::lock_guard lock(mutex_);
  if (free_.empty()) return &entries_.emplace_back(Entry{this, std::move(done)});
  Entry* entry = free_.back();
  free_.pop_back();
  entry->done = std::move(done);
  return entry;
}

void OpenRecalls::end(void* arg, RecallAnswer answer) {
  auto& entry = *static_cast<Entry*>(arg);
  Done done;
  {
    std::lock_guard lock(mutex_);
    done = std::exchange(entry.done, {});
    if (done) free_.push_back(&entry);
  }
  if (!done) return misbehaviour_.note("recall-answered-twice", "a recall was answered that is not open any more");
  done(std::move(answer));
}

void OpenRecalls::end_all(const RecallAnswer& answer) {
  std::vector<Done> left;
  {
    std::lock_guard lock(mutex_);
    for (Entry& entry : entries_) {
      if (!entry.done) continue;
      left.push_back(std::exchange(entry.done, {}));
      free_.push_back(&entry);
    }
  }
  for (Done& done : left) done(answer);
}

void OpenRecalls::on_done(void* arg, int32_t status, gw_str detail) {
  if (!arg) return;
  static_cast<Entry*>(arg)->all->end(arg, {end_of(status), clean_text(detail, kKeptDetail)});
}

RecallEnd OpenRecalls::end_of(int32_t status) {
  switch (status) {
    case GW_OK:
      return RecallEnd::taken;
    case GW_E_NOT_FOUND:
      return RecallEnd::too_late;
    case GW_E_BUSY:
    case GW_E_TIMEOUT:
    case GW_E_IO:
      return RecallEnd::later;
    case GW_E_UNSUPPORTED:
      return RecallEnd::unsupported;
    default:
      return RecallEnd::refused;
  }
}

}  // namespace godwit::channels
