// Figures turns the worker's totals into metrics of the host: counters grow by what was added since the last time. Lane
// only.
#pragma once

#include <godwit/services/metrics.hpp>
#include <vector>

#include "plugins/xmpp/session/totals.hpp"

namespace xmpp {

class Figures {
 public:
  explicit Figures(godwit::Host host);
  void publish(const Totals& now);

 private:
  struct Row {
    godwit::Metric metric;
    Count Totals::*count;
    uint64_t last;
  };
  godwit::Metric up_, online_;
  std::vector<Row> rows_;
};

}  // namespace xmpp
