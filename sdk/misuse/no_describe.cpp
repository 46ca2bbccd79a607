// EXPECT: add `static constexpr auto describe\(\)
#include "common.hpp"
struct Bad final : Fine {
  static godwit::Result<std::unique_ptr<Bad>> create(godwit::Host, std::string_view) { return std::make_unique<Bad>(); }
};
GW_EXPORT_CHANNEL(Bad)
