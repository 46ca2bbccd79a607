#include "broker/engine/history.hpp"

#include <algorithm>

#include "broker/base/encoding.hpp"

namespace godwit::engine {
namespace {

constexpr size_t kPage = 100;                  // deliveries
constexpr int64_t kIdSlackMs = 2 * 3'600'000;  // a keyed id names its hour; and clocks are not perfect
constexpr unsigned kMostScans = 16;            // that wait for their turn

// A CARRY names what was open then and only counts the rest; a search that has seen the rest keeps it.
void carry_on(Found& found, uint64_t position, const RecordView& record) {
  Found later;
  if (!later.fold(position, record)) return;
  found.planned |= later.planned;
  found.cancelled |= later.cancelled;
  found.cursor = later.cursor;
  for (auto& [key, progress] : later.deliveries) found.deliveries[key] = std::move(progress);
}

Error not_found(MessageId id) {
  return {Code::not_found, "no such message, or it ended longer ago than the query window", id.text()};
}

Result<Found> find_in_journal(Journal& journal, const std::string& app, MessageId id) {
  uint64_t from = ~0ull, give_up = ~0ull;
  for (const SegmentInfo& segment : journal.segments()) {
    if (segment.last_ms >= id.time_ms() || segment.live) from = std::min(from, segment.first_offset);
    if (segment.first_ms > id.time_ms() + kIdSlackMs) give_up = std::min(give_up, segment.first_offset);
  }
  if (from == ~0ull) return not_found(id);
  Found found;
  auto read = journal.read(from, [&](RecordRef ref, const RecordView& record) {
    if (!found.accepted && ref.offset >= give_up) return false;  // it would have been accepted before
    if (record.type == RecordType::registry || record.type == RecordType::checkpoint) return true;
    if (records::get_id(record.body) != id) return true;
    const uint64_t position = ref.offset + ref.index;
    if (record.type == RecordType::carry && found.accepted)
      carry_on(found, position, record);
    else
      (void)found.fold(position, record);
    return true;
  });
  if (!read) return std::move(read).error().with("searching the journal for message " + id.text());
  if (!found.accepted || found.message.app != app) return not_found(id);
  return found;
}

DeliveryPage page_of(const Found& found, const std::string& device_id, const std::string& page) {
  std::vector<std::string_view> keys;
  const std::string after = from_base64url(page).value_or(std::string());
  for (const auto& [key, progress] : found.deliveries)
    if (device_id.empty() ? page.empty() || key > after : key == device_id) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  DeliveryPage out;
  for (const std::string_view key : keys) {
    if (out.deliveries.size() == kPage) {
      out.next_page = to_base64url(keys[kPage - 1]);
      break;
    }
    out.deliveries.push_back(show(found, found.deliveries.find(key)->second));
  }
  return out;
}

}  // namespace

template <class T, class Show>
void History::ask(const std::string& app, MessageId id, WallMs now, Done<T> done, Show show) {
  if (id.time_ms() < now - window_ms_ - kIdSlackMs || id.time_ms() > now + kIdSlackMs) return done(not_found(id));
  if (scans_ >= kMostScans)
    return done(Error{Code::overloaded, "many old messages are being looked for; try again later", {}});
  ++scans_;
  jobs_.run([this, app, id] { return find_in_journal(journal_, app, id); },
            [this, done = std::move(done), show = std::move(show)](Result<Found> found) mutable {
              --scans_;
              if (!found) return done(std::move(found).error());
              done(show(*found));
            });
}

void History::message(const std::string& app, MessageId id, WallMs now, Done<MessageView> done) {
  ask(app, id, now, std::move(done), [](const Found& found) { return show(found); });
}

void History::deliveries(const std::string& app, MessageId id, WallMs now, const std::string& device_id,
                         const std::string& page, Done<DeliveryPage> done) {
  ask(app, id, now, std::move(done), [device_id, page](const Found& found) { return page_of(found, device_id, page); });
}

}  // namespace godwit::engine
