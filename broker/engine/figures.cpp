// Figures of whole pushes, from vendors that report nothing about single devices: {"of": n, "delivered": n, "opened":
// n, "manufacturer": "..."}, each since the last time. They are counted as the vendor's word and change no delivery.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "broker/engine/core.hpp"

namespace godwit::engine {

void Core::on_figures(ChannelSlot& slot, const ChannelEvent& e) {
  const auto json = nlohmann::json::parse(e.payload, nullptr, false);
  if (!json.is_object()) return;
  const auto number = [&](const char* name) -> uint32_t {
    const auto it = json.find(name);
    if (it == json.end() || !it->is_number_integer()) return 0;
    return static_cast<uint32_t>(std::clamp<int64_t>(it->get<int64_t>(), 0, std::numeric_limits<int32_t>::max()));
  };
  const routing::VendorFigures told{number("of"), number("delivered"), number("opened")};
  const auto maker = json.find("manufacturer");
  router_.figures(slot.route, maker != json.end() && maker->is_string() ? maker->get<std::string>() : std::string(),
                  e.at_ms != 0 ? e.at_ms : wall_, told);
  auto& counted = slot.stats.receipts[static_cast<size_t>(ReceiptSource::vendor)];
  counted[static_cast<size_t>(ReceiptEvent::delivered)].bump(told.delivered);
  counted[static_cast<size_t>(ReceiptEvent::opened)].bump(told.opened);
}

}  // namespace godwit::engine
