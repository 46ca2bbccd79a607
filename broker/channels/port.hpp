// The port between the dispatcher and the channels: what goes out, what comes back. Plain values, no plugin ABI.
//
// Downwards: ChannelSet (thread-safe) hands parcels to the lane of a channel instance. Upwards: every (parcel, target)
// that was taken is settled exactly once through ChannelSink, and events (receipts, presence, dead tokens) come the
// same way. The sink is called from lanes and plugin threads and must only hand on (the engine puts it into its
// mailbox).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/callback.hpp"
#include "broker/base/clock.hpp"
#include "broker/base/result.hpp"
#include "broker/message/message.hpp"
#include "broker/message/preview.hpp"

namespace godwit {

using ChannelNo = uint8_t;  // index of the channel instance in the configuration's order

enum class Disposition : uint8_t {
  accepted,
  delivered,
  retry,
  throttled,
  unreachable,
  target_invalid,
  rejected,
  config,
  unknown,
  cancelled,
  expired
};
std::string_view to_string(Disposition);

// Numbers as in the plugin ABI (gw_caps.flags), decoded.
struct ChannelCaps {
  bool operator==(const ChannelCaps&) const = default;
  bool ttl = false, collapse = false, priority = false, offline_hold = false, multicast = false, recall = false,
       presence = false, token_feedback = false, webhook = false, idempotent = false, silent = false, metered = false,
       owns_listener = false;
  uint32_t receipt_kinds = 0;  // bits of the ABI: 1 accepted, 2 delivered, 4 displayed, 8 opened, 16 dismissed
  uint32_t max_payload_bytes = 0, max_batch = 0, max_targets = 0, max_window = 0, max_collapse_key = 0;
  uint64_t max_ttl_ms = 0, offline_hold_ms = 0;
  uint32_t cost_micro = 0;
  bool vendor_receipts_are_device = false;  // a receipt of this channel comes from the device itself (long connection)
};

struct ParcelTarget {
  std::string address;  // registration token; for a channel without tokens "app/device"
  std::string user_id;
  std::string extra;  // JSON object with what a channel may want to know of the device: device_id, manufacturer,
                      // platform, os_version
};

// One message on its way through one channel. Immutable once submitted; kept alive until every target is settled.
struct Parcel {
  uint64_t cookie = 0;  // the dispatcher's name for this attempt; comes back in each settlement
  MessagePtr message;
  std::string message_id_text;
  std::string vendor_options;  // JSON object or empty
  std::vector<ParcelTarget> targets;
  uint32_t attempt = 1;
  MonoNs deadline_ns = 0;  // to be settled before this
  int64_t ttl_ms = 0;      // rest of the message's life
  bool at_most_once = false, dry_run = false;
};

struct Settlement {
  ChannelNo channel = 0;
  uint64_t cookie = 0;
  uint32_t target = 0;
  Disposition disposition = Disposition::unknown;
  int http_status = 0;
  int64_t retry_after_ms = 0;
  WallMs dead_since_ms = 0;  // of target_invalid
  std::string vendor_id, vendor_code, detail;
};

struct ChannelEvent {
  enum class Kind : uint8_t { receipt, token_invalid, token_changed, presence, presence_reset, inbound, quota, notice };
  ChannelNo channel = 0;
  Kind kind = Kind::notice;
  uint64_t seq = 0;
  WallMs at_ms = 0;
  std::string event_id, address, vendor_id, message_id, payload;
  uint32_t subkind = 0;    // receipt: ABI bit; presence: 0 offline, 1 online, 2 away
  bool by_device = false;  // receipt: the device itself said so, not the vendor
  std::string connection_id;
};

enum class ChannelState : uint8_t { starting, ready, degraded, down, failed, hung, stopped };
std::string_view to_string(ChannelState);

struct ChannelStatus {
  std::string name, plugin, vendor, version;
  ChannelState state = ChannelState::starting;
  std::string reason;
  ChannelCaps caps;
  uint32_t window = 0, in_flight = 0;
  MonoNs held_until_ns = 0;
  std::string hold_reason;
};

class ChannelSink {
 public:
  virtual ~ChannelSink() = default;
  virtual void settled(std::vector<Settlement> settlements) = 0;
  // False: no room now, the plugin keeps them and is called back when there is (E_BUSY of the ABI).
  virtual bool events(std::vector<ChannelEvent> events) = 0;
  virtual void room(ChannelNo channel) = 0;  // window, hold or state changed: look again
};

// What a vendor's callback turned into; the caller stores the events, then sends the reply.
struct WebhookRequest {
  std::string method, tail, query, body;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string remote_ip = {};
};
struct WebhookReply {
  int status = 200;
  std::string content_type, body;
  std::vector<ChannelEvent> events;
};

// A channel shall take back what it has taken: from the vendor's queue, and from the device if it shows it already.
struct RecallWish {
  std::string message_id, app, vendor_id;
  bool everybody = false;  // all who got this vendor_id; else `target` alone
  ParcelTarget target;     // its `extra` also has the message's "collapse_key", if there is one
};
enum class RecallEnd : uint8_t {
  taken,        // the vendor took the wish; whether the device had shown it before is not known
  too_late,     // unknown to the vendor by now
  later,        // could not be asked now
  unsupported,  // not in this form
  refused,
};
struct RecallAnswer {
  RecallEnd end = RecallEnd::refused;
  std::string detail;  // the vendor's words
};

// How it ended that a channel's instance was to be replaced by a fresh one.
struct ReloadReport {
  bool switched = false;  // the fresh one serves; otherwise the old one does, as before
  // The last step that was begun: copy, check, load, config, create, start, ready, switch.
  std::string step;
  std::string text;                           // what went wrong there and what to do; empty when switched
  std::string pointer;                        // into the channel's config, if that is to blame
  std::string version_before, version_after;  // the plugin's; after: empty before it was loaded
  std::string library_before, library_after;  // SHA-256 of the plugin's file
  int64_t took_ms = 0;
};

// All channel instances. Safe from any thread except where said.
class ChannelSet {
 public:
  virtual ~ChannelSet() = default;
  virtual size_t size() const = 0;
  virtual ChannelStatus status(ChannelNo channel) const = 0;
  virtual std::optional<ChannelNo> find(std::string_view name) const = 0;

  // How many parcels submit would take now: window - in flight, at most max_batch; 0 on hold, stopped, or not ready.
  virtual uint32_t credit(ChannelNo channel, MonoNs now) const = 0;

  // Takes all (each target will be settled exactly once) or none (false). REQUIRES: parcels.size() <= credit at the
  // time of the call.
  [[nodiscard]] virtual bool submit(ChannelNo channel, std::vector<std::shared_ptr<const Parcel>> parcels) = 0;
  virtual void cancel(ChannelNo channel, uint64_t cookie) = 0;
  // `done` is called exactly once, on any thread, perhaps before this returns. REQUIRES: caps.recall.
  virtual void recall(ChannelNo channel, RecallWish wish, Callback<void(RecallAnswer)> done) = 0;

  // Pure: parses a vendor's callback (checked and authenticated by the plugin). Code::forbidden for a bad signature.
  virtual Result<WebhookReply> parse_webhook(ChannelNo channel, const WebhookRequest& request) = 0;
  // The requests to the vendor for a dry run, or why there would be none; not_found when the plugin shows no previews.
  virtual Result<Preview> preview(ChannelNo channel, const Parcel& parcel) = 0;
  // Tells the plugin that events() has room again.
  virtual void event_room(ChannelNo channel) = 0;

  // Puts a fresh instance of the channel, from the plugin's file as it is now, in the place of the one that serves.
  // `done` is called exactly once, on any thread, perhaps before this returns; it may take a minute.
  virtual void reload(ChannelNo channel, Callback<void(ReloadReport)> done) = 0;
};

}  // namespace godwit
