// Figures turns the gateway's totals into metrics of the host: counters grow by what was added since the last time.
// Lane only.
#pragma once

#include <godwit/services/metrics.hpp>

#include "plugins/selfconn/gateway/gateway.hpp"

namespace selfconn {

class Figures {
 public:
  explicit Figures(godwit::Host host);
  void publish(const Totals& now);

 private:
  struct Row {
    godwit::Metric metric;
    uint64_t Totals::*field;
  };
  godwit::Metric open_, live_;
  std::vector<Row> counters_;
  Totals last_;
};

}  // namespace selfconn
