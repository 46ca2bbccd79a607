// How a device looks in bytes: its state inside a `put` record, and the packed part of its catalogue row.
// The formats stand in docs/formats/registry.md.
//
// Readers are defensive: whatever the bytes are, the answer is a device or a fault in words, never a crash or an
// allocation that the bytes do not pay for. Views point into the bytes read.
#pragma once

#include <string>
#include <string_view>

#include "broker/base/bytes.hpp"
#include "broker/base/result.hpp"
#include "broker/registry/device_fields.hpp"
#include "broker/storage/catalogue.hpp"

namespace godwit {

// Attributes, location, tags and channels. The reader answers false when the bytes cannot be that.
void write_device_state(ByteWriter& out, const DeviceFields& device);
bool read_device_state(ByteReader& in, DeviceFields& device);

// The row of a device; its packed part ends with a checksum over it and the row's keys.
DeviceRow encode_device_row(const DeviceFields& device);

// Code::invalid says what is wrong with the row; `out` is garbage then. Fills `out` without allocating once its vectors
// have grown.
Result<void> decode_device_row(const DeviceRowView& row, DeviceFields& out);

// Appends the checksum to `packed`. Only for tests and fuzzers that make rows by hand.
void seal_device_row(DeviceRow& row);

// The registry's own row (number 0): the lowest device number that was never given away, as far as rows tell.
DeviceRow encode_mark_row(uint64_t next_number);
Result<uint64_t> decode_mark_row(const DeviceRowView& row);

}  // namespace godwit
