// Broadcasts makes, reads, deletes and lists the broadcast channels of Live Activities at Apple.
//
// The order comes as a message, so that it is authenticated, durable, idempotent and visible like every other one: to
// the token broadcast:ID (broadcast:new where there is no ID yet) with overrides.apns.broadcast_channel. What Apple
// answers is the attempt's vendor_id (the channel's ID) and vendor_detail. Facts: Apple, "Sending channel management
// requests to APNs" (apns.md §9); the hosts and ports are others than those for pushes.
//
// Owns its pools, one connection each. Lane only, but `parse_order`. Every order ends in one settle. An order to make a
// channel of which nobody knows whether Apple carried it out is ended and not repeated: it might make two.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <godwit/batch.hpp>
#include <godwit/host.hpp>
#include <godwit/services/http.hpp>

#include "config.hpp"
#include "push.hpp"

namespace apns {

struct ChannelOrder {
  enum class Action : uint8_t { create, read, remove, list } action = Action::list;
  int storage_policy = 0;  // create. 0: nothing is kept for phones that are away; 1: the newest for up to 8 h
  std::string after;       // list: only IDs behind this one
};
// Nothing: the message is a push. An Error's message is a code, its `where` the text for people.
godwit::Result<std::optional<ChannelOrder>> parse_order(const godwit::Message& message, const Address& address);

// The request, without authorization.
godwit::HttpRequest request_of(const Config& config, const ChannelOrder& order, const Address& address,
                               const godwit::Message& message);

class Broadcasts {
 public:
  Broadcasts(godwit::Host host, const Config& config) : host_(host), config_(config) {}
  // `authorization` is empty with a client certificate.
  void carry_out(godwit::Pending m, const ChannelOrder& order, const Address& address, std::string_view authorization);
  void cancel(uint64_t ticket);

 private:
  godwit::Host host_;
  const Config& config_;
  std::optional<godwit::HttpPool> pools_[2];  // by Environment; opened when needed
};

}  // namespace apns
