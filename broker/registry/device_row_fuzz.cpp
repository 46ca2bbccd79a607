// Any bytes as the packed parts of two catalogue rows (the first byte says where they part), under checksums that hold:
// loading must not crash, what loads must be found under its own names, and must encode to a row that gives the same
// device.
#include "broker/registry/device_codec.hpp"
#include "broker/registry/registry.hpp"
#include "broker/registry/registry_fuzz_checks.hpp"
#include "broker/storage/memory/memory_catalogue.hpp"

using namespace godwit;

namespace {

DeviceRow make_row(uint64_t number, std::string_view packed) {
  DeviceRow row;
  row.number = row.version = number;
  row.app = "app";
  row.device_id = "d" + std::to_string(number);
  row.subject = "u";
  row.packed = packed;
  return row;
}

DeviceRowView view(const DeviceRow& row) {
  return {row.number, row.app, row.device_id, row.subject, row.version, row.packed};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t half = data[0] * bytes.size() / 255;
  DeviceRow rows[] = {make_row(1, bytes.substr(0, half)), make_row(2, bytes.substr(half))};
  DeviceFields fields, again;
  for (DeviceRow& row : rows) {
    static_cast<void>(decode_device_row(view(row), fields));  // with whatever checksum the bytes end in
    seal_device_row(row);
    static_cast<void>(decode_mark_row(view(row)));
    if (!decode_device_row(view(row), fields)) continue;
    const DeviceRow copy = encode_device_row(fields);
    test::check(decode_device_row(view(copy), again).ok());
    test::check(encode_device_row(again).packed == copy.packed);
  }

  MemoryCatalogue catalogue;
  test::check(catalogue.put_devices(rows) == Fate::ok);
  Registry registry;
  const auto report = registry.load(catalogue);
  test::check(report.ok() && report->devices + report->damaged == 2);
  test::check_consistent(registry, "app");
  registry.end_replay();
  test::check_tokens_have_one_holder(registry, "app");
  return 0;
}
