#include "broker/engine/early_receipts.hpp"

namespace godwit::engine {
namespace {

std::string key_of(ChannelNo channel, const std::string& vendor_id) {
  return std::to_string(channel) + '/' + vendor_id;
}

}  // namespace

bool EarlyReceipts::hold(const ChannelEvent& event, MonoNs now) {
  if (order_.size() >= kMost) return false;
  std::string key = key_of(event.channel, event.vendor_id);
  by_id_[key].push_back(event);
  order_.emplace_back(now + kLongest, std::move(key));
  return true;
}

std::vector<ChannelEvent> EarlyReceipts::take(ChannelNo channel, const std::string& vendor_id) {
  auto node = by_id_.extract(key_of(channel, vendor_id));
  return node ? std::move(node.mapped()) : std::vector<ChannelEvent>{};
}

size_t EarlyReceipts::expire(MonoNs now) {
  size_t expired = 0;
  for (; !order_.empty() && order_.front().first <= now; order_.pop_front())
    if (const auto node = by_id_.extract(order_.front().second)) expired += node.mapped().size();
  return expired;
}

}  // namespace godwit::engine
