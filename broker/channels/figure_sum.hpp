// FigureSum adds up metrics of one name and the same labels, so that two instances of a channel show one figure, and
// counters do not fall back when one of them goes.
//
// Not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "broker/channels/plugin_host.hpp"

namespace godwit::channels {

class FigureSum {
 public:
  // A figure that is there already in another shape (a later version of the plugin counts otherwise) stays as it is.
  void add(const MetricSample& sample);
  void add(const FigureSum& other);
  void for_each(const std::function<void(const MetricSample&)>& visit) const;

 private:
  std::map<std::string, MetricSample> figures_;  // by name and labels
};

}  // namespace godwit::channels
