#include <array>

#include "plugins/selfconn/codec/text.hpp"
#include "plugins/selfconn/codec/write.hpp"
#include "plugins/selfconn/gateway/steps.hpp"

namespace selfconn {
namespace {

using mqtt::Reason;

// The filters that cover the one topic there is.
bool covers_inbox(std::string_view filter) {
  return filter == kInboxTopic || filter == "#" || filter == "godwit/#" || filter == "godwit/+" ||
         filter == "+/inbox" || filter == "+/+" || filter == "+/#" || filter == "godwit/inbox/#";
}

uint8_t answer_for(Connection& c, const mqtt::Filter& filter, bool has_identifier) {
  Reason reason = Reason::not_authorized;
  if (mqtt::is_shared_filter(filter.text)) {
    reason = Reason::shared_subscriptions_not_supported;
  } else if (has_identifier) {
    reason = Reason::subscription_identifiers_not_supported;
  } else if (covers_inbox(filter.text)) {
    c.is_subscribed = true;
    return filter.qos > 0 ? 1 : 0;
  }
  return static_cast<uint8_t>(c.version == mqtt::Version::v5 ? reason : Reason::unspecified_error);
}

void answer_list(Shard& shard, Connection& c, mqtt::PacketType type, uint16_t id, mqtt::Bytes codes) {
  const mqtt::SubscribeAnswer answer{type, id, {}, codes};
  if (shard.output.room().size() < mqtt::size_of(answer, c.version)) flush(shard, c);
  shard.output.commit(mqtt::write(answer, c.version, shard.output.room()));
}

}  // namespace

void handle_subscribe(Shard& shard, Connection& c, const mqtt::Subscribe& subscribe) {
  if (subscribe.filters.count() > kMaxFilters)
    return refuse(shard, c, Reason::quota_exceeded, "more filters in one SUBSCRIBE than a device can need");
  const bool has_identifier = subscribe.properties.has(mqtt::Property::subscription_identifier);
  std::array<uint8_t, kMaxFilters> codes;
  size_t count = 0;
  subscribe.filters.each([&](const mqtt::Filter& f) { codes[count++] = answer_for(c, f, has_identifier); });
  answer_list(shard, c, mqtt::PacketType::suback, subscribe.packet_id, mqtt::Bytes(codes.data(), count));
}

void handle_unsubscribe(Shard& shard, Connection& c, const mqtt::Unsubscribe& unsubscribe) {
  if (unsubscribe.filters.count() > kMaxFilters)
    return refuse(shard, c, Reason::quota_exceeded, "more filters in one UNSUBSCRIBE than a device can need");
  std::array<uint8_t, kMaxFilters> codes;
  size_t count = 0;
  unsubscribe.filters.each([&](const mqtt::Filter& filter) {
    const bool existed = c.is_subscribed && covers_inbox(filter.text);
    if (existed) c.is_subscribed = false;  // the messages come all the same: the inbox is the device's own
    codes[count++] = static_cast<uint8_t>(existed ? Reason::success : Reason::no_subscription_existed);
  });
  if (c.version != mqtt::Version::v5) count = 0;
  answer_list(shard, c, mqtt::PacketType::unsuback, unsubscribe.packet_id, mqtt::Bytes(codes.data(), count));
}

}  // namespace selfconn
