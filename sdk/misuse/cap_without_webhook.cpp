// EXPECT: go together: add what is missing
#include "common.hpp"
struct Bad final : Fine {
  static constexpr auto describe() { return kInfo.caps({.flags = GW_CAP_WEBHOOK}); }
  static godwit::Result<std::unique_ptr<Bad>> create(godwit::Host, std::string_view) { return std::make_unique<Bad>(); }
};
GW_EXPORT_CHANNEL(Bad)
