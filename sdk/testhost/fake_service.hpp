// What all fake services of the test host have in common.
#pragma once

#include <cstdint>
#include <optional>

namespace godwit::testhost {

class FakeService {
 public:
  virtual ~FakeService() = default;

  // The table to give to the plugin; its ctx is this object.
  virtual const void* table() const = 0;

  // Ends everything that is open with GW_E_CLOSED (posted to the lane), and refuses what comes now.
  virtual void close() {}

  // When something of it is due by the clock; the host turns the clock there and calls turn().
  virtual std::optional<uint64_t> next_due_ns() const { return std::nullopt; }
  virtual void turn(uint64_t /*now_ns*/) {}

  // Something of it can happen without the clock: a thread works, a descriptor is watched.
  virtual bool is_waiting_for_the_world() const { return false; }
};

}  // namespace godwit::testhost
