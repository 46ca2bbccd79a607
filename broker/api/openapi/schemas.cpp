// components.schemas of the OpenAPI document, as JSON text: names, types, limits and words for people. The tests hold
// the members against what the parsers know and what the views write, and the examples against the schemas.
#include "broker/api/openapi/document.hpp"

namespace godwit {

const char* const kOpenApiSchemas = R"json({
"Problem": {
  "type": "object", "description": "What went wrong (RFC 9457)",
  "required": ["type", "title", "status", "detail"],
  "properties": {
    "type": {"type": "string", "description": "Names the kind of problem", "example": "urn:godwit:problem:invalid"},
    "title": {"type": "string", "description": "The kind in words"},
    "status": {"type": "integer", "description": "The HTTP status again"},
    "detail": {"type": "string", "description": "What is wrong here and what to do"},
    "errors": {"type": "array", "description": "Every fault of the input", "items": {"$ref": "#/components/schemas/Fault"}}
  },
  "examples": [{"type": "urn:godwit:problem:invalid", "title": "The input has faults", "status": 422,
    "detail": "/options/ttl: must be from 0 to 2419200",
    "errors": [{"pointer": "/options/ttl", "code": "range", "detail": "must be from 0 to 2419200"}]}]
},
"Fault": {
  "type": "object", "description": "One thing wrong with the input", "required": ["pointer", "code", "detail"],
  "properties": {
    "pointer": {"type": "string", "description": "JSON pointer into the body; or query:NAME, path:NAME, header:NAME"},
    "code": {"type": "string", "description": "Stable, for programs",
      "enum": ["malformed", "type", "required", "unknown_member", "duplicate", "read_only", "range", "length", "format",
               "not_one_of", "exclusive", "too_large", "unsupported", "invalid"]},
    "detail": {"type": "string", "description": "For people"}
  }
},
"Platform": {"type": "string", "description": "What the device is", "enum": ["ios", "android", "harmony", "web", "desktop", "other"]},
"Location": {
  "type": "object", "description": "Where the device is", "required": ["lat", "lon"], "additionalProperties": false,
  "properties": {"lat": {"type": "number", "minimum": -90, "maximum": 90, "description": "Degrees north"},
                 "lon": {"type": "number", "minimum": -180, "maximum": 180, "description": "Degrees east"}}
},
"Tags": {"type": "array", "description": "Your labels", "maxItems": 100,
  "items": {"type": "string", "minLength": 1, "maxLength": 64}},
"DeviceState": {
  "type": "object", "description": "All there is to say about a device; what is left out is forgotten",
  "required": ["platform"], "additionalProperties": false,
  "properties": {
    "user_id": {"type": "string", "minLength": 1, "maxLength": 128, "description": "Your id of the person who uses it"},
    "platform": {"$ref": "#/components/schemas/Platform"},
    "manufacturer": {"type": "string", "maxLength": 64, "description": "Decides, with the platform, what is known about channels"},
    "model": {"type": "string", "maxLength": 64, "description": "The maker's name of the model"},
    "os_version": {"type": "string", "maxLength": 32, "description": "Of the operating system"},
    "app_version": {"type": "string", "maxLength": 32, "description": "Of your app"},
    "locale": {"type": "string", "maxLength": 35, "description": "BCP 47, such as zh-CN"},
    "timezone": {"type": "string", "maxLength": 64, "description": "IANA name, such as Asia/Shanghai"},
    "network": {"type": "string", "maxLength": 32, "description": "What it is connected by, such as wifi"},
    "location": {"$ref": "#/components/schemas/Location"},
    "tags": {"$ref": "#/components/schemas/Tags"},
    "channels": {"type": "object", "description": "Where it can be reached, by the name of the channel instance", "maxProperties": 16,
      "additionalProperties": {"type": "object", "additionalProperties": false,
        "properties": {"token": {"type": "string", "minLength": 1, "maxLength": 4096,
          "description": "The vendor's registration token; none for the long connection"}}}}
  },
  "examples": [{"user_id": "u42", "platform": "android", "manufacturer": "Xiaomi", "model": "M2012K11AC", "os_version": "13",
    "app_version": "5.2.0", "locale": "zh-CN", "timezone": "Asia/Shanghai", "network": "wifi",
    "location": {"lat": 39.98, "lon": 116.31}, "tags": ["vip", "city:bj"],
    "channels": {"mipush": {"token": "the vendor's token"}, "selfconn": {}}}]
},
"DevicePatch": {
  "type": "object", "description": "A merge patch (RFC 7396) of a device's state", "additionalProperties": false,
  "properties": {
    "user_id": {"type": ["string", "null"], "maxLength": 128, "description": "null: nobody's device any more"},
    "platform": {"$ref": "#/components/schemas/Platform"},
    "manufacturer": {"type": ["string", "null"], "maxLength": 64, "description": "As in the device's state"},
    "model": {"type": ["string", "null"], "maxLength": 64, "description": "As in the device's state"},
    "os_version": {"type": ["string", "null"], "maxLength": 32, "description": "As in the device's state"},
    "app_version": {"type": ["string", "null"], "maxLength": 32, "description": "As in the device's state"},
    "locale": {"type": ["string", "null"], "maxLength": 35, "description": "As in the device's state"},
    "timezone": {"type": ["string", "null"], "maxLength": 64, "description": "As in the device's state"},
    "network": {"type": ["string", "null"], "maxLength": 32, "description": "As in the device's state"},
    "location": {"type": ["object", "null"], "additionalProperties": false, "description": "Both members when there was none",
      "properties": {"lat": {"type": "number", "description": "Degrees north"}, "lon": {"type": "number", "description": "Degrees east"}}},
    "tags": {"oneOf": [{"$ref": "#/components/schemas/Tags"}, {"type": "null"}], "description": "Replaces all"},
    "channels": {"type": ["object", "null"], "description": "null as a channel's value takes the channel away",
      "additionalProperties": {"type": ["object", "null"], "additionalProperties": false,
        "properties": {"token": {"type": ["string", "null"], "maxLength": 4096, "description": "null: none"}}}}
  },
  "examples": [{"app_version": "5.3.0", "channels": {"mipush": {"token": "a new token"}, "xinge": null}}]
},
"DeviceChannel": {
  "type": "object", "description": "A channel that the device can be reached on",
  "properties": {
    "token": {"type": "string", "description": "The vendor's registration token"},
    "invalid": {"type": "boolean", "description": "true: the vendor said that the token is dead"},
    "registered_at": {"type": "string", "format": "date-time", "description": "When the token came here"}}
},
"Device": {
  "type": "object", "description": "A device as the broker keeps it", "required": ["device_id", "platform", "tags", "channels", "version"],
  "properties": {
    "device_id": {"type": "string", "description": "Its name in every call, and its client id on the long connection"},
    "user_id": {"type": "string", "description": "Absent: nobody's"},
    "platform": {"$ref": "#/components/schemas/Platform"},
    "manufacturer": {"type": "string", "description": "As registered"},
    "model": {"type": "string", "description": "As registered"},
    "os_version": {"type": "string", "description": "As registered"},
    "app_version": {"type": "string", "description": "As registered"},
    "locale": {"type": "string", "description": "As registered"},
    "timezone": {"type": "string", "description": "As registered"},
    "network": {"type": "string", "description": "As registered"},
    "location": {"$ref": "#/components/schemas/Location"},
    "tags": {"$ref": "#/components/schemas/Tags"},
    "channels": {"type": "object", "description": "By the name of the channel instance",
      "additionalProperties": {"$ref": "#/components/schemas/DeviceChannel"}},
    "created_at": {"type": "string", "format": "date-time", "description": "First registration"},
    "updated_at": {"type": "string", "format": "date-time", "description": "Last change"},
    "version": {"type": "integer", "description": "Grows with each change"}
  },
  "examples": [{"device_id": "d-1", "user_id": "u42", "platform": "android", "tags": [],
    "channels": {"selfconn": {"registered_at": "2026-11-21T08:00:00.000Z"}}, "created_at": "2026-11-21T08:00:00.000Z",
    "updated_at": "2026-11-21T08:00:00.000Z", "version": 1}]
},
"RegisteredDevice": {
  "description": "The device; for a client key with what it needs to connect, for a server key with where tokens came from",
  "allOf": [{"$ref": "#/components/schemas/Device"}, {"type": "object", "properties": {
    "credential": {"type": "string", "description": "The device's own key: password of the long connection, bearer key of its calls"},
    "connect": {"type": "array", "description": "URLs of the long connection; client id is the device id, user name the app id",
      "items": {"type": "string"}, "example": ["mqtt://127.0.0.1:1883"]},
    "moved_from": {"type": "array", "description": "Tokens that other devices had until now",
      "items": {"type": "object", "properties": {
        "channel": {"type": "string", "description": "The channel instance"},
        "device_id": {"type": "string", "description": "Who had it"}}}},
    "warnings": {"type": "array", "description": "What was kept but will most likely not do what was meant",
      "items": {"type": "string"},
      "example": ["/channels/mipsh: the app has no such channel now (did you mean 'mipush'?); nothing is sent there"]}}}]
},
"DeviceList": {
  "type": "object", "description": "A page of devices", "required": ["devices"],
  "properties": {"devices": {"type": "array", "description": "In the order of registration", "items": {"$ref": "#/components/schemas/Device"}},
    "next_page": {"type": "string", "description": "`page` of the next call; absent on the last page"}}
},
"UserDevices": {
  "type": "object", "description": "The devices of one user", "required": ["user_id", "devices"],
  "properties": {"user_id": {"type": "string", "description": "As asked"},
    "devices": {"type": "array", "description": "All of them", "items": {"$ref": "#/components/schemas/Device"}}}
},
"TopicList": {
  "type": "object", "description": "The app's topics", "required": ["topics"],
  "properties": {"topics": {"type": "array", "description": "All of them", "items": {"type": "object", "properties": {
    "topic": {"type": "string", "description": "Its name"}, "devices": {"type": "integer", "description": "How many"}}}}}
},
"TopicDevices": {
  "type": "object", "description": "A page of a topic's devices", "required": ["topic", "devices", "device_ids"],
  "properties": {"topic": {"type": "string", "description": "As asked"},
    "devices": {"type": "integer", "description": "How many in all"},
    "device_ids": {"type": "array", "description": "Of this page", "items": {"type": "string"}},
    "next_page": {"type": "string", "description": "`page` of the next call; absent on the last page"}}
},
"Audience": {
  "type": "object", "description": "Whom a message is for: exactly one member", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
  "properties": {
    "user": {"type": "string", "minLength": 1, "maxLength": 128, "description": "Every device of the user"},
    "users": {"type": "array", "minItems": 1, "maxItems": 1000, "description": "Every device of these users", "items": {"type": "string"}},
    "device": {"type": "string", "pattern": "^[A-Za-z0-9._:@-]{1,64}$", "description": "One device"},
    "devices": {"type": "array", "minItems": 1, "maxItems": 1000, "description": "These devices", "items": {"type": "string"}},
    "token": {"type": "object", "required": ["channel", "token"], "additionalProperties": false,
      "description": "Whoever has this registration token",
      "properties": {"channel": {"type": "string", "description": "The channel instance"},
                     "token": {"type": "string", "maxLength": 4096, "description": "The vendor's token"}}},
    "topic": {"type": "string", "pattern": "^[A-Za-z0-9._:@~-]{1,128}$", "description": "Every device of the topic"},
    "all": {"type": "boolean", "const": true, "description": "Every device of the app"},
    "condition": {"type": "string", "description": "Tags and topics with && || ! and brackets. Not available in this version (422)"},
    "near": {"type": "object", "description": "Devices near a place. Not available in this version (422)"}
  },
  "examples": [{"user": "u42"}, {"devices": ["d-1", "d-2"]}, {"token": {"channel": "mipush", "token": "abc"}}, {"all": true}]
},
"Notification": {
  "type": "object", "description": "What the person sees. Together with data at most 4 KiB by default", "additionalProperties": false,
  "properties": {
    "title": {"type": "string", "description": "First line"},
    "body": {"type": "string", "description": "The text"},
    "image": {"type": "string", "maxLength": 2048, "description": "URL of a picture"},
    "sound": {"type": "string", "description": "Name of a sound; default"},
    "badge": {"type": "integer", "minimum": 0, "maximum": 99999, "description": "Number on the app's icon"},
    "category": {"type": "string", "description": "Groups actions, on platforms that have them"},
    "thread_id": {"type": "string", "description": "Groups notifications"},
    "link": {"type": "string", "maxLength": 2048, "description": "Where a tap leads"},
    "title_loc_key": {"type": "string", "description": "Key of a translated title inside the app"},
    "title_loc_args": {"type": "array", "maxItems": 32, "items": {"type": "string"}, "description": "Fills its gaps"},
    "body_loc_key": {"type": "string", "description": "Key of a translated text inside the app"},
    "body_loc_args": {"type": "array", "maxItems": 32, "items": {"type": "string"}, "description": "Fills its gaps"}
  },
  "examples": [{"title": "New order", "body": "Flat viewing at 15:00", "badge": 3, "link": "app://order/123"}]
},
"Options": {
  "type": "object", "description": "How it is delivered", "additionalProperties": false,
  "properties": {
    "ttl": {"type": "integer", "minimum": 0, "maximum": 2419200, "default": 86400, "description": "Seconds for which it is worth delivering; 0 or nothing: a day"},
    "priority": {"type": "string", "enum": ["critical", "high", "normal", "low"], "default": "normal", "description": "What goes first, and what is shed last"},
    "collapse_key": {"type": "string", "minLength": 1, "maxLength": 64, "description": "A newer message with the same key replaces a waiting one"},
    "deliver_at": {"type": "string", "format": "date-time", "description": "Not before this time; at most 30 days ahead"},
    "silent": {"type": "boolean", "default": false, "description": "Wakes the app and shows nothing"},
    "channels": {"type": "array", "minItems": 1, "maxItems": 32, "uniqueItems": true, "items": {"type": "string"}, "description": "Only these channel instances"},
    "routing": {"type": "string", "enum": ["best", "all", "ordered"],
      "description": "best: one channel at a time by measured delivery, the next one when no receipt comes in time; all: every channel at once; ordered: `channels` in their order. Not given: the app's own, which is best unless the operator's apps[].routing says otherwise"},
    "class": {"type": "string", "enum": ["transactional", "marketing"], "default": "transactional", "description": "Frequency caps and quiet hours apply to marketing"}
  },
  "examples": [{"ttl": 3600, "priority": "high", "collapse_key": "order-123", "channels": ["selfconn", "mipush"]}]
},
"Overrides": {
  "type": "object", "description": "For each channel or plugin name an object that goes to that channel only",
  "additionalProperties": {"type": "object"}, "maxProperties": 32,
  "examples": [{"apns": {"aps": {"interruption-level": "time-sensitive"}}}]
},
"Message": {
  "type": "object", "description": "A message. It needs a notification, data, or both", "required": ["to"], "additionalProperties": false,
  "anyOf": [{"required": ["notification"]}, {"required": ["data"]}],
  "properties": {
    "to": {"$ref": "#/components/schemas/Audience"},
    "notification": {"$ref": "#/components/schemas/Notification"},
    "data": {"type": "object", "description": "For the app; passed on as written"},
    "options": {"$ref": "#/components/schemas/Options"},
    "overrides": {"$ref": "#/components/schemas/Overrides"},
    "idempotency_key": {"type": "string", "minLength": 1, "maxLength": 255, "description": "As the Idempotency-Key header; the only way in a batch"}
  },
  "examples": [{"to": {"user": "u42"}, "notification": {"title": "New order", "body": "Flat viewing at 15:00"},
    "data": {"order_id": "123"}, "options": {"ttl": 3600, "priority": "high"}}]
},
"MessageArray": {"type": "array", "description": "Any number of messages", "items": {"$ref": "#/components/schemas/Message"}},
"DeliveryState": {"type": "string", "description": "Where a delivery stands. Only ever left forwards",
  "enum": ["planned", "attempted", "sent", "delivered", "opened", "suppressed", "failed", "expired", "cancelled"]},
"MessageStatus": {"type": "string", "description": "How far the message has come",
  "enum": ["accepted", "planned", "attempted", "sent", "delivered", "opened", "suppressed", "failed", "expired", "cancelled"]},
"Accepted": {
  "type": "object", "description": "The message is durable", "required": ["message_id", "status", "recipients"],
  "properties": {"message_id": {"type": "string", "description": "Its id from here to the device"},
    "status": {"$ref": "#/components/schemas/MessageStatus"},
    "recipients": {"type": ["integer", "null"], "description": "Devices addressed; null while a topic or all is still being counted"}},
  "examples": [{"message_id": "01h8zq3v7m0000000000000000", "status": "planned", "recipients": 1}]
},
"BatchLine": {
  "type": "object", "description": "The answer to one message of a batch: an id or an error", "required": ["index"],
  "properties": {"index": {"type": "integer", "description": "The message's place in the batch, from 0"},
    "message_id": {"type": "string", "description": "It is durable"},
    "repeated": {"type": "boolean", "description": "true: the first answer to its idempotency key again"},
    "error": {"$ref": "#/components/schemas/Problem"}},
  "examples": [{"index": 0, "message_id": "01h8zq3v7m0000000000000000"}]
},
"Counts": {
  "type": "object", "description": "How many deliveries got at least so far, and where the others ended",
  "required": ["accepted", "suppressed", "attempted", "sent", "delivered", "opened", "failed", "expired", "cancelled"],
  "properties": {
    "accepted": {"type": "integer", "description": "Addressed"},
    "suppressed": {"type": "integer", "description": "Collapsed, opted out, or without a device"},
    "attempted": {"type": "integer", "description": "Handed to a channel"},
    "sent": {"type": "integer", "description": "A vendor took it"},
    "delivered": {"type": "integer", "description": "A receipt says so"},
    "opened": {"type": "integer", "description": "The person opened it"},
    "failed": {"type": "integer", "description": "Every channel refused for good"},
    "expired": {"type": "integer", "description": "Too late"},
    "cancelled": {"type": "integer", "description": "Withdrawn"}}
},
"MessageView": {
  "type": "object", "description": "A message and what became of it", "required": ["message_id", "status", "complete", "counts", "to", "options"],
  "properties": {
    "message_id": {"type": "string", "description": "Its id"},
    "status": {"$ref": "#/components/schemas/MessageStatus"},
    "complete": {"type": "boolean", "description": "true: every delivery is in its final state"},
    "counts": {"$ref": "#/components/schemas/Counts"},
    "recall": {"type": "object", "description": "After a cancel: deliveries that were out and were asked back", "properties": {
      "asked": {"type": "integer", "description": "All of them"},
      "taken": {"type": "integer", "description": "The vendor took the recall"},
      "failed": {"type": "integer", "description": "It refused, did not know it any more, or could not be asked"}}},
    "accepted_at": {"type": "string", "format": "date-time", "description": "When it became durable"},
    "expires_at": {"type": "string", "format": "date-time", "description": "Not delivered after this"},
    "to": {"$ref": "#/components/schemas/Audience"},
    "notification": {"type": "object", "description": "As given"},
    "data": {"type": "object", "description": "As given"},
    "options": {"$ref": "#/components/schemas/Options"},
    "overrides": {"$ref": "#/components/schemas/Overrides"}}
},
"ReceiptKind": {"type": "string", "enum": ["device", "vendor", "accepted"],
  "description": "device: the device said so; vendor: the vendor says that it reached the device; accepted: all that is known is that the vendor took it"},
"Attempt": {
  "type": "object", "description": "One handing-over to a channel", "required": ["number", "channel", "result", "why"],
  "properties": {
    "number": {"type": "integer", "description": "1 is the first"},
    "channel": {"type": "string", "description": "The channel instance"},
    "started_at": {"type": "string", "format": "date-time", "description": "Handed over"},
    "settled_at": {"type": "string", "format": "date-time", "description": "The vendor answered"},
    "result": {"type": "string", "description": "What the vendor made of it", "enum": ["in_flight", "accepted", "delivered", "retry",
      "throttled", "unreachable", "token_invalid", "rejected", "config", "unknown", "cancelled", "expired"]},
    "http_status": {"type": "integer", "description": "The vendor's"},
    "vendor_id": {"type": "string", "description": "The vendor's name of the message"},
    "vendor_code": {"type": "string", "description": "The vendor's code"},
    "vendor_detail": {"type": "string", "description": "The vendor's words"},
    "why": {"type": "string", "description": "Why this channel"},
    "why_numbers": {"type": "object", "description": "The numbers behind it"}}
},
"Receipt": {
  "type": "object", "description": "Somebody said what became of it", "required": ["event", "kind"],
  "properties": {
    "event": {"type": "string", "enum": ["delivered", "displayed", "opened", "dismissed"], "description": "What happened"},
    "kind": {"$ref": "#/components/schemas/ReceiptKind"},
    "channel": {"type": "string", "description": "Absent: the app reported it"},
    "at": {"type": "string", "format": "date-time", "description": "When"}}
},
"Delivery": {
  "type": "object", "description": "One message to one device", "required": ["device_id", "state", "attempts", "receipts"],
  "properties": {
    "device_id": {"type": "string", "description": "The device"},
    "user_id": {"type": "string", "description": "Its user"},
    "state": {"$ref": "#/components/schemas/DeliveryState"},
    "reason": {"type": "string", "description": "Why suppressed, failed or expired; after a cancel that came late: recall_asked, recalled or recall_failed"},
    "planned_at": {"type": "string", "format": "date-time", "description": "Found in the audience"},
    "final_at": {"type": "string", "format": "date-time", "description": "Came to its end"},
    "attempts": {"type": "array", "description": "Oldest first", "items": {"$ref": "#/components/schemas/Attempt"}},
    "receipts": {"type": "array", "description": "Oldest first", "items": {"$ref": "#/components/schemas/Receipt"}}}
},
"DeliveryPage": {
  "type": "object", "description": "A page of deliveries", "required": ["message_id", "deliveries"],
  "properties": {"message_id": {"type": "string", "description": "As asked"},
    "deliveries": {"type": "array", "description": "One a device", "items": {"$ref": "#/components/schemas/Delivery"}},
    "next_page": {"type": "string", "description": "`page` of the next call; absent on the last page"}}
},
"Cancelled": {
  "type": "object", "description": "What a cancellation stopped", "required": ["message_id", "cancelled", "already_out"],
  "properties": {"message_id": {"type": "string", "description": "As asked"},
    "cancelled": {"type": "integer", "description": "Deliveries that will not go out any more"},
    "already_out": {"type": "integer", "description": "Deliveries that were out already"},
    "recalling": {"type": "integer", "description": "Of those: the vendor is asked to take them back"}}
},
"DryRun": {
  "type": "object", "description": "What would happen", "required": ["recipients", "samples"],
  "properties": {"recipients": {"type": "integer", "description": "Devices addressed"},
    "samples": {"type": "array", "description": "The first 20", "items": {"type": "object", "properties": {
      "device_id": {"type": "string", "description": "The device; absent: a token that nobody registered"},
      "user_id": {"type": "string", "description": "Its user"},
      "token": {"type": "string", "description": "The token, if nobody registered it"},
      "channel": {"type": "string", "description": "The channel that it would take; absent: none"},
      "reason": {"type": "string", "description": "Why"},
      "p": {"type": "number", "description": "The chance that it arrives; 0 where nothing is known of the device"},
      "requests": {"type": "array", "description": "What would be asked of the vendor, where the plugin can show it", "items": {"$ref": "#/components/schemas/VendorRequest"}},
      "payload": {"type": "string", "description": "The bodies of `requests`, one a line"},
      "errors": {"type": "array", "description": "Why the channel would refuse it; absent: it would not", "items": {"$ref": "#/components/schemas/ChannelRemark"}},
      "warnings": {"type": "array", "description": "What the channel would send otherwise than it was meant", "items": {"$ref": "#/components/schemas/ChannelRemark"}}}}}}
},
"VendorRequest": {
  "type": "object", "description": "A request to a vendor", "required": ["headers", "body"],
  "properties": {
    "method": {"type": "string", "description": "Absent: the channel does not speak HTTP"},
    "url": {"type": "string", "description": "Where to"},
    "headers": {"type": "array", "description": "As the plugin makes them; what is secret reads `***`", "items": {"type": "object", "required": ["name", "value"], "properties": {
      "name": {"type": "string", "description": "In lower case"}, "value": {"type": "string", "description": "As sent"}}}},
    "body": {"type": "string", "description": "As sent"}}
},
"ChannelRemark": {
  "type": "object", "description": "What a channel says about a message", "required": ["channel", "detail"],
  "properties": {
    "channel": {"type": "string", "description": "Who says so"},
    "field": {"type": "string", "description": "What it is about: a JSON pointer or a name; absent: the whole message"},
    "detail": {"type": "string", "description": "The fault and the remedy"}}
},
"ReceiptReport": {
  "type": "object", "description": "What became of a message on a device", "required": ["message_id", "event"], "additionalProperties": false,
  "properties": {
    "message_id": {"type": "string", "description": "From the message"},
    "device_id": {"type": "string", "description": "Required with a server key; with a device's credential its own"},
    "event": {"type": "string", "enum": ["delivered", "displayed", "opened", "dismissed"], "description": "What happened"},
    "at": {"type": "string", "format": "date-time", "description": "When; now when left out"}}
},
"ReceiptArray": {"type": "array", "maxItems": 1000, "description": "Receipts", "items": {"$ref": "#/components/schemas/ReceiptReport"},
  "examples": [[{"message_id": "01h8zq3v7m0000000000000000", "device_id": "d-1", "event": "delivered", "at": "2026-11-21T08:00:00Z"}]]},
"ReceiptsCounted": {
  "type": "object", "description": "What the receipts were worth", "required": ["counted", "repeated", "unknown"],
  "properties": {"counted": {"type": "integer", "description": "New"},
    "repeated": {"type": "integer", "description": "Known already"},
    "unknown": {"type": "integer", "description": "Of a message or device that is not known"}}
},
"InboxItem": {
  "type": "object", "description": "A message as the device gets it", "required": ["message_id", "sent_at", "cursor"],
  "properties": {
    "message_id": {"type": "string", "description": "Show each id once"},
    "notification": {"type": "object", "description": "As the sender gave it"},
    "data": {"type": "object", "description": "As the sender gave it"},
    "sent_at": {"type": "string", "format": "date-time", "description": "When it was due"},
    "expires_at": {"type": "string", "format": "date-time", "description": "Worthless after this"},
    "cursor": {"type": "string", "description": "Stands after this message"}}
},
"InboxPage": {
  "type": "object", "description": "Messages not acknowledged yet", "required": ["messages", "cursor"],
  "properties": {"messages": {"type": "array", "description": "Oldest first", "items": {"$ref": "#/components/schemas/InboxItem"}},
    "cursor": {"type": "string", "description": "`after` of the next call"}}
},
"Channel": {
  "type": "object", "description": "A channel instance", "required": ["name", "plugin", "state", "admin_state"],
  "properties": {
    "name": {"type": "string", "description": "As configured"},
    "plugin": {"type": "string", "description": "What serves it"},
    "vendor": {"type": "string", "description": "Whose service it is"},
    "version": {"type": "string", "description": "Of the plugin"},
    "state": {"type": "string", "enum": ["starting", "ready", "degraded", "down", "failed", "hung", "stopped"], "description": "How it is"},
    "state_reason": {"type": "string", "description": "Why"},
    "admin_state": {"type": "string", "enum": ["enabled", "draining", "disabled"], "description": "The manual switch"},
    "window": {"type": "integer", "description": "Messages that may be with the vendor at once"},
    "in_flight": {"type": "integer", "description": "Messages that are"},
    "queued": {"type": "integer", "description": "Messages that wait for it"},
    "held_until": {"type": "string", "format": "date-time", "description": "Nothing is sent before this"},
    "hold_reason": {"type": "string", "description": "Why"},
    "connections": {"type": "integer", "description": "Devices connected, on channels that know"},
    "troubles": {"type": "array", "description": "What routing has noticed and acts on", "items": {"$ref": "#/components/schemas/ChannelTrouble"}}}
},
"ChannelTrouble": {
  "type": "object", "description": "One thing that routing holds against a channel", "required": ["kind"],
  "properties": {
    "kind": {"type": "string", "enum": ["delivers_less", "circuit_open", "receipts_lost", "receipts_doubted"], "description": "delivers_less: fewer messages arrive than did before; circuit_open: the vendor answers errors, nothing is sent for a while; receipts_lost: messages arrive and their receipts do not; receipts_doubted: it reports deliveries to phones that it never reached"},
    "manufacturer": {"type": "string", "description": "Only on its devices"},
    "os": {"type": "string", "description": "Only on devices of this system version"},
    "region": {"type": "string", "description": "Only on devices of this time zone"},
    "since": {"type": "string", "format": "date-time", "description": "When it was noticed"},
    "health": {"type": "number", "description": "The share of the usual deliveries that still arrive"}}
},
"ChannelList": {"type": "object", "description": "All channel instances", "required": ["channels"],
  "properties": {"channels": {"type": "array", "description": "As configured", "items": {"$ref": "#/components/schemas/Channel"}}}},
"ChannelSwitch": {"type": "object", "description": "Where the switch should stand", "required": ["state"], "additionalProperties": false,
  "properties": {"state": {"type": "string", "enum": ["enabled", "draining", "disabled"], "description": "The new position"}},
  "examples": [{"state": "draining"}]},
"ChannelReload": {"type": "object", "description": "A fresh instance serves the channel",
  "required": ["version_before", "version_after", "library_before", "library_after", "took_ms"],
  "properties": {
    "version_before": {"type": "string", "description": "The plugin's version that served before"},
    "version_after": {"type": "string", "description": "The plugin's version that serves now"},
    "library_before": {"type": "string", "description": "SHA-256 of the plugin's file before"},
    "library_after": {"type": "string", "description": "SHA-256 of the plugin's file now"},
    "took_ms": {"type": "integer", "description": "From the call to the switch"}}
},
"Candidate": {
  "type": "object", "description": "A channel that could be used, or why it could not", "required": ["channel"],
  "properties": {
    "channel": {"type": "string", "description": "The channel instance"},
    "asleep": {"type": "string", "description": "Why it cannot be used now; then there are no numbers", "enum": ["no_token", "offline",
      "disabled", "draining", "held", "down", "quota", "breaker_open", "not_allowed", "unsupported"]},
    "p": {"type": "number", "description": "Chance that this send leads to a delivery in time"},
    "utility": {"type": "number", "description": "Value of that chance, less the cost"},
    "rate": {"type": "number", "description": "The device's estimated delivery rate"},
    "low": {"type": "number", "description": "Lower end of its 95 % interval"},
    "high": {"type": "number", "description": "Upper end of its 95 % interval"},
    "segment_rate": {"type": "number", "description": "The rate of devices like this one"},
    "samples": {"type": "number", "description": "How many outcomes that rests on"},
    "device_successes": {"type": "number", "description": "This device's own"},
    "device_failures": {"type": "number", "description": "This device's own"},
    "health": {"type": "number", "description": "The channel's state at the moment, 1 is as usual"},
    "in_time": {"type": "number", "description": "Chance that the receipt comes before the deadline"},
    "receipt_kind": {"type": "string", "enum": ["none", "accepted", "vendor", "device"], "description": "What its rate rests on"},
    "propensity": {"type": "number", "description": "Chance that the router picks it first"},
    "alarmed": {"type": "boolean", "description": "It delivers less than it did"},
    "reporting": {"type": "boolean", "description": "Receipts of this device come back on it"}}
},
"RouteView": {
  "type": "object", "description": "What the router would do, and why", "required": ["decision", "candidates"],
  "properties": {
    "decision": {"type": "object", "description": "What comes first", "required": ["action", "reason"], "properties": {
      "action": {"type": "string", "enum": ["send", "wait", "stop"], "description": "What to do"},
      "channel": {"type": "string", "description": "Of a send"},
      "wait_s": {"type": "number", "description": "Of a wait"},
      "reason": {"type": "string", "description": "In one word"},
      "p": {"type": "number", "description": "Chance of a delivery in time"},
      "utility": {"type": "number", "description": "Its value, less the cost"},
      "propensity": {"type": "number", "description": "Chance that the policy chooses this"},
      "reach": {"type": "number", "description": "Chance that the device can be reached at all"}}},
    "candidates": {"type": "array", "description": "Best first", "items": {"$ref": "#/components/schemas/Candidate"}}}
},
"DeliveryRates": {
  "type": "object", "description": "Measured delivery rates", "required": ["from", "to", "rates"],
  "properties": {
    "from": {"type": "string", "format": "date-time", "description": "Begin of the window"},
    "to": {"type": "string", "format": "date-time", "description": "End of the window"},
    "rates": {"type": "array", "description": "A row for each group and receipt kind", "items": {"type": "object",
      "required": ["channel", "receipt_kind", "sent", "settled", "rate"], "properties": {
      "channel": {"type": "string", "description": "The channel instance"},
      "manufacturer": {"type": "string", "description": "When grouped by it"},
      "os": {"type": "string", "description": "When grouped by it"},
      "app_version": {"type": "string", "description": "When grouped by it"},
      "receipt_kind": {"type": "string", "enum": ["none", "accepted", "vendor", "device"], "description": "What counts as delivered here"},
      "sent": {"type": "number", "description": "Sends inside the window"},
      "settled": {"type": "number", "description": "The sample: sends whose outcome is known, a receipt or a silence that has lasted; not those that still wait, nor of devices that report nothing"},
      "delivered": {"type": "number", "description": "With a receipt"},
      "opened": {"type": "number", "description": "Opened by a person"},
      "rate": {"type": ["number", "null"], "description": "Delivered of settled; null where nothing says so"},
      "low": {"type": "number", "description": "Lower end of the 95 % interval"},
      "high": {"type": "number", "description": "Upper end of the 95 % interval"},
      "median_delay_s": {"type": "number", "description": "From send to receipt, where there is one"}}}}}
},
"LifeEvent": {
  "type": "object", "description": "A step in a message's life", "required": ["at", "app", "message_id", "event"],
  "properties": {
    "at": {"type": "string", "format": "date-time", "description": "When"},
    "app": {"type": "string", "description": "Whose message"},
    "message_id": {"type": "string", "description": "Which message"},
    "device_id": {"type": "string", "description": "Which device, where one is involved"},
    "event": {"$ref": "#/components/schemas/MessageStatus"},
    "channel": {"type": "string", "description": "Which channel, where one is involved"},
    "detail": {"type": "string", "description": "More about it"}}
},
"KeyList": {
  "type": "object", "description": "Keys, masked", "required": ["keys"],
  "properties": {"keys": {"type": "array", "description": "As configured", "items": {"type": "object", "properties": {
    "app": {"type": "string", "description": "Absent for admin keys"},
    "kind": {"type": "string", "enum": ["server", "client", "admin"], "description": "What it may do"},
    "sha256_prefix": {"type": "string", "description": "The first 12 digits of its SHA-256"}}}}}
},
"Status": {"type": "object", "description": "How it is", "required": ["status"],
  "properties": {"status": {"type": "string", "enum": ["alive", "ready"], "description": "In one word"}}},
"AnyObject": {"type": "object", "description": "Any JSON object"},
"AnyBody": {"type": "string", "description": "Anything"}
})json";

}  // namespace godwit
