// Any bytes as a journal of registry records (each with one byte of length before it): nothing may crash, and whatever
// was applied leaves a registry that is consistent and that its own rows give back.
#include "broker/registry/registry.hpp"
#include "broker/registry/registry_fuzz_checks.hpp"
#include "broker/storage/memory/memory_catalogue.hpp"

using namespace godwit;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Registry registry;
  MemoryCatalogue catalogue;
  uint64_t position = 0;
  while (!bytes.empty()) {
    const size_t n = static_cast<uint8_t>(bytes[0]);
    bytes.remove_prefix(1);
    static_cast<void>(registry.apply(bytes.substr(0, n), position++));
    bytes.remove_prefix(std::min(n, bytes.size()));
  }
  test::check_consistent(registry, "app");
  test::check_tokens_have_one_holder(registry, "app");
  test::check(catalogue.put_devices(registry.take_dirty(1u << 20)) == Fate::ok);
  Registry loaded;
  const auto report = loaded.load(catalogue);
  test::check(report.ok() && report->damaged == 0 && loaded.size() == registry.size());
  test::check_consistent(loaded, "app");
  return 0;
}
