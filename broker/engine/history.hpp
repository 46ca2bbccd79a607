// History: messages that ended and left memory, read back from the journal.
//
// A scan begins at the segment that was live at the id's time and compares 17 bytes a record; it runs on the background
// thread, one at a time. An id whose time lies outside of the query window is answered without a scan.
#pragma once

#include "broker/engine/found.hpp"
#include "broker/storage/journal.hpp"

namespace godwit::engine {

// Code::not_found when the journal does not hold it (any more), or when it belongs to another app.
Result<Found> find_in_journal(Journal& journal, const std::string& app, MessageId id);

// A page of deliveries, in the order of their keys; `page` is the last key of the page before.
DeliveryPage page_of(const Found& found, const std::string& device_id, const std::string& page);

}  // namespace godwit::engine
