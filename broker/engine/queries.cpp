// Questions about messages that are in memory. Older ones are answered from the journal (history.cpp).
#include <cstdlib>

#include "broker/engine/core.hpp"
#include "broker/engine/found.hpp"

namespace godwit::engine {
namespace {

constexpr size_t kPage = 100;  // deliveries

}  // namespace

void Core::get_message(const std::string& app, MessageId id, Done<MessageView> done) {
  const MessageIx ix = book_.find(app, id);
  if (ix == kNone) return history_.message(app, id, wall_, std::move(done));
  const MessageEntry& m = book_.message(ix);
  MessageView v;
  v.message = m.message;
  v.counts = m.counts;
  v.complete = m.complete;
  v.status = status_of(m.counts, m.planned, m.cancelled);
  if (m.cancelled)
    for (DeliveryIx i = m.first; i != kNone; i = book_.delivery(i).next) count(v.recalls, book_.delivery(i).reason);
  done(std::move(v));
}

void Core::get_deliveries(const std::string& app, MessageId id, const std::string& device, const std::string& page,
                          Done<DeliveryPage> done) {
  const MessageIx ix = book_.find(app, id);
  if (ix == kNone) return history_.deliveries(app, id, wall_, device, page, std::move(done));
  const MessageEntry& m = book_.message(ix);
  if (m.dropped) return history_.deliveries(app, id, wall_, device, page, std::move(done));  // memory has a part only
  DeliveryPage out;
  if (!device.empty()) {
    const DeliveryIx dix = book_.find_delivery(m, registry_.find(app, device));
    if (dix != kNone) out.deliveries.push_back(view_of(m, book_.delivery(dix)));
    return done(std::move(out));
  }
  // A page begins at a delivery's number in the slab, checked to belong to this message.
  DeliveryIx i = m.first;
  if (!page.empty()) {
    const auto name = std::strtoull(page.c_str(), nullptr, 16);
    i = book_.deliveries().find(name);
    if (i == kNone || book_.delivery(i).message != ix)
      return done(Error{Code::invalid, "is not a page of this message any more; begin again without it", "page"});
  }
  for (; i != kNone; i = book_.delivery(i).next) {
    if (out.deliveries.size() == kPage) {
      char text[17];
      snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(book_.deliveries().name_of(i)));
      out.next_page = text;
      break;
    }
    out.deliveries.push_back(view_of(m, book_.delivery(i)));
  }
  done(std::move(out));
}

}  // namespace godwit::engine
