// Parcels for tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/channels/port.hpp"

namespace godwit::channels {

inline std::shared_ptr<Parcel> make_parcel(uint64_t cookie, MonoNs deadline_ns = 0, size_t targets = 1) {
  auto message = std::make_shared<Message>();
  message->app = "shop";
  message->content = R"({"notification":{"title":"Hello"}})";
  auto parcel = std::make_shared<Parcel>();
  parcel->cookie = cookie;
  parcel->message = std::move(message);
  parcel->message_id_text = "m" + std::to_string(cookie);
  parcel->deadline_ns = deadline_ns;
  parcel->ttl_ms = 60'000;
  for (size_t i = 0; i < targets; ++i) parcel->targets.push_back({"token-" + std::to_string(i), "u1", {}});
  return parcel;
}

inline std::vector<std::shared_ptr<const Parcel>> make_parcels(size_t n, MonoNs deadline_ns = 0, size_t targets = 1) {
  std::vector<std::shared_ptr<const Parcel>> parcels;
  for (size_t i = 0; i < n; ++i) parcels.push_back(make_parcel(i + 1, deadline_ns, targets));
  return parcels;
}

}  // namespace godwit::channels
