#include "plugins/selfconn/plugin/figures.hpp"

namespace selfconn {

Figures::Figures(godwit::Host host) {
  const godwit::Metrics metrics(host);
  open_ = metrics.gauge("mqtt_sockets", "Open sockets, also those that have not said CONNECT yet");
  live_ = metrics.gauge("mqtt_devices", "Devices that hold a connection");
  const auto add = [&](const char* name, const char* help, uint64_t Totals::*field) {
    counters_.push_back({metrics.counter(name, help), field});
  };
  add("mqtt_accepted_total", "Sockets accepted", &Totals::accepted);
  add("mqtt_rate_limited_total", "Sockets closed at once by connect_rate or max_connections", &Totals::rate_limited);
  add("mqtt_connected_total", "Devices let in", &Totals::connected);
  add("mqtt_refused_total", "Devices not let in", &Totals::refused);
  add("mqtt_takeovers_total", "Connections ended by a newer one of the same device", &Totals::takeovers);
  add("mqtt_timed_out_total", "Connections ended by a time limit", &Totals::timed_out);
  add("mqtt_faults_total", "Connections ended by a breach of the protocol", &Totals::faults);
  add("mqtt_sent_total", "Messages published to devices", &Totals::sent);
  add("mqtt_acknowledged_total", "Messages that devices acknowledged", &Totals::acknowledged);
  add("mqtt_unknown_acks_total", "Acknowledgements of nothing that was sent", &Totals::unknown_acks);
  add("mqtt_events_total", "Events of devices handed on", &Totals::events);
  add("mqtt_bad_events_total", "Messages of devices that were no events", &Totals::bad_events);
}

void Figures::publish(const Totals& now) {
  open_.set(static_cast<int64_t>(now.open));
  live_.set(static_cast<int64_t>(now.live));
  for (const Row& row : counters_)
    if (now.*row.field > last_.*row.field) row.metric.add(now.*row.field - last_.*row.field);
  last_ = now;
}

}  // namespace selfconn
