// History: messages that ended and left memory, read back from the journal.
//
// A scan begins at the segment that was live at the id's time and compares 17 bytes a record; it is a slow job, and
// only so many may wait: more are answered with Code::overloaded. An id whose time lies outside of the query window is
// answered without a scan, one that is not found, or belongs to another app, with Code::not_found.
// Engine's thread only.
#pragma once

#include <string>

#include "broker/engine/broker.hpp"
#include "broker/engine/found.hpp"
#include "broker/engine/slow_jobs.hpp"
#include "broker/storage/journal.hpp"

namespace godwit::engine {

class History {
 public:
  History(Journal& journal, SlowJobs& jobs, int64_t window_ms)
      : journal_(journal), jobs_(jobs), window_ms_(window_ms) {}

  void message(const std::string& app, MessageId id, WallMs now, Done<MessageView> done);
  // In the order of their keys; `page` is the last key of the page before.
  void deliveries(const std::string& app, MessageId id, WallMs now, const std::string& device_id,
                  const std::string& page, Done<DeliveryPage> done);

 private:
  template <class T, class Show>
  void ask(const std::string& app, MessageId id, WallMs now, Done<T> done, Show show);

  Journal& journal_;
  SlowJobs& jobs_;
  const int64_t window_ms_;
  unsigned scans_ = 0;  // waiting or running
};

}  // namespace godwit::engine
