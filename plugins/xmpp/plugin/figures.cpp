#include "plugins/xmpp/plugin/figures.hpp"

#include <utility>

namespace xmpp {

Figures::Figures(godwit::Host host) {
  const godwit::Metrics metrics(host);
  up_ = metrics.gauge("xmpp_up", "1 while there is a stream to the server");
  online_ = metrics.gauge("xmpp_devices", "Devices of which the server says that they are there");
  const auto add = [&](const char* name, const char* help, Count Totals::*count) {
    rows_.push_back({metrics.counter(name, help), count, 0});
  };
  add("xmpp_sessions_total", "Streams that came up", &Totals::sessions);
  add("xmpp_resumptions_total", "Of them: resumed (XEP-0198)", &Totals::resumptions);
  add("xmpp_cuts_total", "Streams that were lost", &Totals::cuts);
  add("xmpp_sent_total", "Messages written to the server", &Totals::sent);
  add("xmpp_sent_again_total", "Messages written again after a lost stream", &Totals::sent_again);
  add("xmpp_confirmed_total", "Messages that the server has confirmed", &Totals::confirmed);
  add("xmpp_receipts_total", "Receipts from devices", &Totals::receipts);
  add("xmpp_refused_total", "Messages that came back as a stanza error", &Totals::refused);
  add("xmpp_unknown_total", "Messages that were written and never confirmed", &Totals::unknown_ends);
  add("xmpp_dropped_stanzas_total", "Stanzas too large or too deep to be read", &Totals::dropped);
}

void Figures::publish(const Totals& now) {
  up_.set(static_cast<int64_t>(now.is_up.get()));
  online_.set(static_cast<int64_t>(now.online.get()));
  for (Row& row : rows_) {
    const uint64_t value = (now.*row.count).get();
    if (value > row.last) row.metric.add(value - std::exchange(row.last, value));
  }
}

}  // namespace xmpp
