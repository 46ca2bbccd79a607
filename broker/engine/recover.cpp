#include "broker/engine/core.hpp"

namespace godwit::engine {

Result<RecoveryReport> Core::recover() {
  auto loaded = registry_.load(parts_.catalogue);
  if (!loaded) return std::move(loaded).error();
  add_channels_to_router();
  devices_.resize(registry_.end());
  for (DeviceNo no = 0; no < registry_.end(); ++no)
    if (registry_.exists(no)) load_device(no);
  RecoveryReport report;
  report.devices = registry_.size();
  return report;
}

}  // namespace godwit::engine
