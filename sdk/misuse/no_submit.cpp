// EXPECT: implement both start\(\) and submit
#include "common.hpp"
struct Bad : godwit::Channel {
  static constexpr auto describe() { return kInfo; }
  static godwit::Result<std::unique_ptr<Bad>> create(godwit::Host, std::string_view) { return godwit::invalid(""); }
  void start() override {}
};
GW_EXPORT_CHANNEL(Bad)
