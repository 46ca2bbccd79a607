#include "broker/channels/figure_sum.hpp"

namespace godwit::channels {

void FigureSum::add(const MetricSample& sample) {
  std::string key = sample.name;
  for (const auto& [label, value] : sample.labels) key.append("\n").append(label).append("=").append(value);
  const auto [place, is_new] = figures_.try_emplace(std::move(key), sample);
  if (is_new) return;
  MetricSample& sum = place->second;
  if (sum.kind != sample.kind || sum.buckets.size() != sample.buckets.size()) return;
  sum.value += sample.value;
  sum.count += sample.count;
  for (size_t i = 0; i < sum.buckets.size(); ++i) sum.buckets[i].second += sample.buckets[i].second;
}

void FigureSum::add(const FigureSum& other) {
  for (const auto& [key, sample] : other.figures_) add(sample);
}

void FigureSum::for_each(const std::function<void(const MetricSample&)>& visit) const {
  for (const auto& [key, sample] : figures_) visit(sample);
}

}  // namespace godwit::channels
