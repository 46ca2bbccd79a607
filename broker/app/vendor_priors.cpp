#include "broker/app/vendor_priors.hpp"

#include <array>

namespace godwit {
namespace {

// Build.MANUFACTURER / BRAND in lower case, as devices register them.
struct Makers {
  std::string_view plugin;
  std::array<std::string_view, 4> names;
};
constexpr std::array<Makers, 7> kMakers = {{
    {"mipush", {"xiaomi", "redmi", "poco", "blackshark"}},
    {"hms", {"huawei"}},
    {"honor", {"honor"}},
    {"oppo", {"oppo", "realme", "oneplus"}},
    {"vivo", {"vivo", "iqoo"}},
    {"meizu", {"meizu"}},
    {"apns", {"apple"}},
}};
constexpr double kAtHome = 0.9, kElsewhere = 0.25;

}  // namespace

Priors with_vendor_priors(std::string_view plugin, Priors said) {
  for (const Makers& entry : kMakers) {
    if (entry.plugin != plugin) continue;
    if (plugin != "apns" && said.prior == 0) said.prior = kElsewhere;  // every token of APNs is a device of Apple's
    for (const std::string_view name : entry.names)
      if (!name.empty()) said.manufacturers.emplace(name, kAtHome);  // keeps what was said
  }
  return said;
}

}  // namespace godwit
