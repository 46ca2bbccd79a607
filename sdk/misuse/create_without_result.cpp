// EXPECT: create\(godwit::Host host, Config config\)
#include "common.hpp"
struct Bad final : Fine {
  static constexpr auto describe() { return kInfo; }
  static Bad* create(godwit::Host, std::string_view) { return new Bad; }
};
GW_EXPORT_CHANNEL(Bad)
