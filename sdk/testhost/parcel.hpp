// Parcel is one gw_msg with everything it points to in a mapping of its own, so that it can be taken away: after
// guard() any read of the message, its targets or its texts is a fault at the very instruction.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <godwit/abi.h>

namespace godwit::testhost {

struct ParcelSpec {
  std::string message_id = "01JD0000000000000000000001";
  std::string app_id = "demo";
  std::vector<std::string> addresses = {"token-1"};
  std::string user_id = "u42";
  std::string extra = R"({"platform":"android","manufacturer":"Xiaomi","device_id":"d1"})";
  uint32_t content_kind = GW_CONTENT_NOTIFICATION;
  std::string content = R"({"notification":{"title":"Hello","body":"World"},"data":{"order":"123"}})";
  std::string vendor_options = {};  // empty = absent
  std::string collapse_key = {};    // empty = absent
  uint64_t ttl_ms = 3'600'000;
  uint32_t priority = 0;
  uint32_t attempt = 1;
  uint32_t flags = 0;
};

class Parcel {
 public:
  Parcel(const ParcelSpec& spec, uint64_t ticket, uint64_t deadline_mono_ns);
  Parcel(const Parcel&) = delete;
  Parcel& operator=(const Parcel&) = delete;
  ~Parcel();

  const gw_msg* message() const { return message_; }
  uint64_t ticket() const { return ticket_; }
  uint32_t target_count() const { return target_count_; }
  bool contains(const void* address) const;

  // From here on every access faults.
  void guard();

 private:
  char* base_ = nullptr;
  size_t length_ = 0;
  gw_msg* message_ = nullptr;
  const uint64_t ticket_;
  const uint32_t target_count_;
};

}  // namespace godwit::testhost
