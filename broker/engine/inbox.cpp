// The inbox: what a device has not acknowledged yet, for polling clients and for catching up; with a long poll.
#include <algorithm>
#include <charconv>

#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr unsigned kMostItems = 100;

uint64_t parse_cursor(std::string_view text) {
  uint64_t v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v, 16);
  return error == std::errc() && end == text.data() + text.size() ? v : 0;
}

std::string cursor_text(uint64_t seq) {
  char text[17];
  const auto [end, error] = std::to_chars(text, text + sizeof text, seq, 16);
  return {text, end};
}

}  // namespace

Broker::InboxPage Core::inbox_page(DeviceNo device, uint64_t after, unsigned limit) const {
  std::vector<const Delivery*> found;  // newest first
  for (DeliveryIx i = book_.newest_of(device); i != kNone; i = book_.delivery(i).device_next) {
    const Delivery& d = book_.delivery(i);
    if (d.inbox_seq <= after) break;  // the list is in order, and everything beyond was handed out
    if (now_ < book_.message(d.message).expires_ns && !d.cancel_wished) found.push_back(&d);
  }
  Broker::InboxPage page;
  const size_t n = std::min<size_t>({found.size(), limit, kMostItems});
  for (size_t i = 0; i < n; ++i) {
    const Delivery& d = *found[found.size() - 1 - i];
    page.items.push_back({book_.message(d.message).message, cursor_text(d.inbox_seq)});
    after = d.inbox_seq;
  }
  page.cursor = cursor_text(after);
  return page;
}

void Core::inbox(const std::string& app, const std::string& device_id, const std::string& after, int64_t wait_ms,
                 unsigned limit, Done<Broker::InboxPage> done) {
  const DeviceNo device = registry_.find(app, device_id);
  if (device == kNoDevice) return done(Error{Code::not_found, "no such device", device_id});
  router_.alive(device, now_);
  const uint64_t cursor = parse_cursor(after);
  if (limit == 0) limit = kMostItems;
  Broker::InboxPage page = inbox_page(device, cursor, limit);
  if (!page.items.empty() || wait_ms <= 0) return done(std::move(page));
  polls_.add({device, cursor, limit, std::move(done)}, now_ + wait_ms * kNsPerMs);
}

void Core::wake_inbox(DeviceNo device) {
  for (LongPoll& poll : polls_.take(device)) answer(poll);
}

void Core::answer(LongPoll& poll) {
  poll.done(inbox_page(poll.device, poll.after, poll.limit));
}

void Core::close() {
  for (LongPoll& poll : polls_.take_all()) answer(poll);
}

}  // namespace godwit::engine
