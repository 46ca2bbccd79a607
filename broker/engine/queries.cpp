// Questions about messages that are in memory. Older ones are answered from the journal (history.cpp).
#include <cstdlib>

#include "broker/engine/core.hpp"

namespace godwit::engine {
namespace {

constexpr size_t kPage = 100;  // deliveries

}  // namespace

// One word for a whole message: the furthest that any of its deliveries has come, else how it ended.
std::string status_of(const MessageCounts& c, bool planned, bool cancelled) {
  if (c.opened) return "opened";
  if (c.delivered) return "delivered";
  if (c.sent) return "sent";
  const uint64_t ended = c.suppressed + c.failed + c.expired + c.cancelled;
  if (c.accepted > ended || (planned && c.accepted == 0 && !cancelled))
    return c.attempted > c.failed + c.expired ? "attempted" : planned ? "planned" : "accepted";
  if (c.failed) return "failed";
  if (c.expired) return "expired";
  if (c.cancelled || cancelled) return "cancelled";
  if (c.suppressed) return "suppressed";
  return "accepted";
}

void Core::get_message(const std::string& app, MessageId id, Done<MessageView> done) {
  const MessageIx ix = find_message(app, id);
  if (ix == kNone) return done(Error{Code::not_found, "no such message", id.text()});
  const MessageEntry& m = messages_[ix];
  MessageView v;
  v.message = m.message;
  v.counts = m.counts;
  v.complete = m.complete;
  v.status = status_of(m.counts, m.planned, m.cancelled);
  done(std::move(v));
}

void Core::get_deliveries(const std::string& app, MessageId id, const std::string& device, const std::string& page,
                          Done<DeliveryPage> done) {
  const MessageIx ix = find_message(app, id);
  if (ix == kNone) return done(Error{Code::not_found, "no such message", id.text()});
  const MessageEntry& m = messages_[ix];
  DeliveryPage out;
  if (!device.empty()) {
    const DeliveryIx dix = find_delivery(m, registry_.find(app, device));
    if (dix != kNone) out.deliveries.push_back(view_of(m, deliveries_[dix]));
    return done(std::move(out));
  }
  // A page begins at a delivery's number in the slab, checked to belong to this message.
  DeliveryIx i = m.first;
  if (!page.empty()) {
    const auto name = std::strtoull(page.c_str(), nullptr, 16);
    i = deliveries_.find(name);
    if (i == kNone || deliveries_[i].message != ix)
      return done(Error{Code::invalid, "is not a page of this message any more; begin again without it", "page"});
  }
  for (; i != kNone; i = deliveries_[i].next) {
    if (out.deliveries.size() == kPage) {
      char text[17];
      snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(deliveries_.name_of(i)));
      out.next_page = text;
      break;
    }
    out.deliveries.push_back(view_of(m, deliveries_[i]));
  }
  done(std::move(out));
}

}  // namespace godwit::engine
