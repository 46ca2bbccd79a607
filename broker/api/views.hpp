// How the broker's values look in JSON. One function a thing, used by every call that shows it.
#pragma once

#include <string>

#include "broker/api/json_writer.hpp"
#include "broker/engine/broker.hpp"

namespace godwit {

// Members of the object only, so that an answer can add its own.
void write_device_members(JsonWriter& json, const Device& device);
void write_device(JsonWriter& json, const Device& device);

void write_message(JsonWriter& json, const MessageView& view);
void write_delivery(JsonWriter& json, const DeliveryView& view);
void write_dry_run(JsonWriter& json, const DryRun& run);
void write_inbox_item(JsonWriter& json, const InboxItem& item);

void write_channel(JsonWriter& json, const ChannelView& view);
void write_reload(JsonWriter& json, const ReloadReport& report);
void write_route(JsonWriter& json, const RouteView& view);
void write_rates(JsonWriter& json, const RateView& view);
void write_event(JsonWriter& json, const LifeEvent& event);

}  // namespace godwit
