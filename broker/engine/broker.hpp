// Broker: everything that a front end (the HTTP API, tests, tools) may ask for. The engine implements it.
//
// Every call is asynchronous, may come from any thread, and ends in exactly one call of `done`, on a thread of the
// broker (engine or journal writer): `done` must only hand the answer on. What an answer reports as accepted,
// registered, cancelled or received is durable when `done` runs. Calls never block and never throw.
//
// The caller has authenticated already: `app` is the app that the key belongs to; ids of other apps are not_found here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/base/callback.hpp"
#include "broker/base/result.hpp"
#include "broker/channels/port.hpp"
#include "broker/message/device.hpp"
#include "broker/message/draft.hpp"
#include "broker/message/message.hpp"
#include "broker/message/preview.hpp"
#include "broker/routing/router.hpp"

namespace godwit {

template <class T>
using Done = Callback<void(Result<T>)>;

// ---- devices -------------------------------------------------------------------------------------------------

struct DeviceAnswer {
  Device device;
  bool created = false;
  // Tokens that this registration took over from other devices: (channel, device id that had it).
  std::vector<std::pair<std::string, std::string>> moved_from;
};

// ---- messages ------------------------------------------------------------------------------------------------

struct MessageView {
  MessagePtr message;
  std::string
      status;  // accepted | planned | attempted | sent | delivered | opened | suppressed | failed | expired | cancelled
  MessageCounts counts;
  bool complete = false;  // every delivery is final
  // Deliveries that were out when the message was cancelled, and were asked back: how that went.
  struct Recalls {
    uint64_t asked = 0, taken = 0, failed = 0;
  } recalls;
};

struct AttemptView {
  std::string channel;
  unsigned number = 0;  // 1 = first
  WallMs started_ms = 0, settled_ms = 0;
  std::string result;  // in_flight | accepted | delivered | retry | throttled | unreachable | token_invalid | rejected
                       // | config | unknown | cancelled | expired
  int http_status = 0;
  std::string vendor_id, vendor_code, vendor_detail;
  std::string why;       // one sentence
  std::string why_json;  // the numbers behind it (a JSON object), may be empty
};
struct ReceiptView {
  ReceiptEvent event;
  ReceiptSource kind;
  std::string channel;  // empty when the app reported it
  WallMs at_ms = 0;
};
struct DeliveryView {
  std::string device_id, user_id;
  DeliveryState state;
  std::string reason;  // why suppressed, failed, expired
  WallMs planned_ms = 0, final_ms = 0;
  std::vector<AttemptView> attempts;
  std::vector<ReceiptView> receipts;
};
struct DeliveryPage {
  std::vector<DeliveryView> deliveries;
  std::string next_page;  // empty: the last one
};

struct CancelAnswer {
  uint64_t cancelled = 0;  // deliveries that will not go out any more
  uint64_t already_out = 0;
  uint64_t recalling = 0;  // of those: their channel was asked to take them back
};

// Who would get it, over which channel, as which request to the vendor. Nothing is stored or sent.
struct DryRun {
  uint64_t recipients = 0;
  struct Sample {
    std::string device_id, user_id;  // empty for a token that nobody registered:
    std::string token;               // then this
    std::string channel, reason;
    double p = 0;     // nothing is known of a bare token
    Preview preview;  // empty where the plugin shows none
  };
  std::vector<Sample> samples;  // the first 20
};

// ---- receipts, inbox ------------------------------------------------------------------------------------------

struct ReceiptReport {
  MessageId message;
  std::string device_id;
  ReceiptEvent event;
  WallMs at_ms = 0;
};
struct ReceiptAnswer {
  uint64_t counted = 0, repeated = 0, unknown = 0;
};

struct InboxItem {
  MessagePtr message;
  std::string cursor;  // `after` for the next call
};

// ---- channels, routing, statistics ----------------------------------------------------------------------------

// What the router has against a channel, beyond what the channel says of itself.
struct ChannelTrouble {
  std::string kind;  // delivers_less | circuit_open | receipts_lost | receipts_doubted
  std::string manufacturer = {}, os = {}, region = {};  // of delivers_less: the devices that it concerns; empty: all
  WallMs since_ms = 0;                                  // of delivers_less
  double health = 1;  // of delivers_less: the share of the usual deliveries that still arrive
};

struct ChannelView {
  std::string name, plugin, vendor, version;
  std::string state;  // starting | ready | degraded | down | failed | hung
  std::string state_reason;
  std::string admin_state;  // enabled | draining | disabled
  uint32_t window = 0, in_flight = 0;
  uint64_t queued = 0;
  WallMs held_until_ms = 0;
  std::string hold_reason;
  uint64_t connections = 0;  // of channels that know presence
  std::vector<ChannelTrouble> troubles;
};

struct RouteView {
  routing::Decision decision;
  std::vector<routing::CandidateView> candidates;  // best first
  std::vector<std::string> channel_names;          // by ChannelNo
};

struct RateView {
  std::vector<routing::RateRow> rows;
  std::vector<std::string> channel_names;
};

// ---- events ---------------------------------------------------------------------------------------------------

// One step in a message's life, as GET /v1/events streams it.
struct LifeEvent {
  WallMs at_ms = 0;
  std::string app;
  MessageId message;
  std::string device_id;
  std::string event;    // accepted | planned | attempted | sent | delivered | opened | suppressed | failed | expired |
                        // cancelled | recalled | recall_failed (after a cancel that came late)
  std::string channel;  // where one is involved
  std::string detail;
};
using LifeEventSink = std::function<void(const LifeEvent&)>;  // engine thread; must not block

class Broker {
 public:
  virtual ~Broker() = default;

  // Devices. `put` replaces the state in full; an empty id asks for one. `patch` gets an edit that is applied to the
  // current state on the engine's thread: it answers an error to refuse.
  virtual void put_device(Device device, Done<DeviceAnswer> done) = 0;
  virtual void patch_device(std::string app, std::string device_id, Callback<Result<void>(Device&)> edit,
                            Done<DeviceAnswer> done) = 0;
  virtual void get_device(std::string app, std::string device_id, Done<Device> done) = 0;
  virtual void delete_device(std::string app, std::string device_id, Done<Device> done) = 0;
  virtual void user_devices(std::string app, std::string user_id, Done<std::vector<Device>> done) = 0;
  struct DeviceList {
    std::vector<Device> devices;
    std::string next_page;
  };
  virtual void list_devices(std::string app, std::string page, unsigned limit, Done<DeviceList> done) = 0;

  // Topics.
  struct TopicInfo {
    std::string topic;
    uint64_t devices = 0;
  };
  struct TopicPage {
    std::vector<std::string> device_ids;
    uint64_t devices = 0;
    std::string next_page;
  };
  virtual void set_topic(std::string app, std::string topic, std::string device_id, bool subscribed,
                         Done<void> done) = 0;
  virtual void list_topics(std::string app, Done<std::vector<TopicInfo>> done) = 0;
  virtual void topic_devices(std::string app, std::string topic, std::string page, Done<TopicPage> done) = 0;

  // Messages. One call for many drafts costs one durable step; answers come in the drafts' order.
  virtual void accept(std::vector<MessageDraft> drafts, Callback<void(std::vector<Result<AcceptAnswer>>)> done) = 0;
  virtual void get_message(std::string app, MessageId id, Done<MessageView> done) = 0;
  virtual void get_deliveries(std::string app, MessageId id, std::string device_id, std::string page,
                              Done<DeliveryPage> done) = 0;
  virtual void cancel_message(std::string app, MessageId id, Done<CancelAnswer> done) = 0;
  virtual void dry_run(MessageDraft draft, Done<DryRun> done) = 0;

  // Receipts and the inbox. `wait_ms` > 0 holds the call until something arrives or the time is over.
  virtual void report_receipts(std::string app, std::vector<ReceiptReport> reports, Done<ReceiptAnswer> done) = 0;
  struct InboxPage {
    std::vector<InboxItem> items;
    std::string cursor;
  };
  virtual void inbox(std::string app, std::string device_id, std::string after, int64_t wait_ms, unsigned limit,
                     Done<InboxPage> done) = 0;

  // Vendors' callbacks. The answer's body and status go back to the vendor once the events in it are durable.
  struct VendorCall {
    std::string channel, method, tail, query, body;
    std::vector<std::pair<std::string, std::string>> headers;
  };
  struct CallbackAnswer {
    int status = 200;
    std::string content_type, body;
  };
  virtual void vendor_callback(VendorCall request, Done<CallbackAnswer> done) = 0;

  // Channels, routing, statistics.
  virtual void list_channels(Done<std::vector<ChannelView>> done) = 0;
  virtual void set_channel(std::string name, std::string admin_state, Done<ChannelView> done) = 0;
  // A fresh instance of the channel takes over from the running one. Code::conflict: it did not, and why. Takes as long
  // as the channel needs to get ready.
  virtual void reload_channel(std::string name, Done<ReloadReport> done) = 0;
  virtual void route(std::string app, std::string device_id, Priority priority, Done<RouteView> done) = 0;
  virtual void rates(routing::RateQuery query, Done<RateView> done) = 0;

  // Events of one app (empty: all). The sink stays until unsubscribe returns.
  virtual uint64_t subscribe(std::string app, LifeEventSink sink) = 0;
  virtual void unsubscribe(uint64_t subscription) = 0;
};

}  // namespace godwit
