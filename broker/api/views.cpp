#include "broker/api/views.hpp"

#include "broker/base/encoding.hpp"

namespace godwit {
namespace {

// Left out when it has not happened.
void optional_time(JsonWriter& json, std::string_view name, WallMs at) {
  if (at != 0) json.field(name, to_rfc3339(at));
}

// The members of an object that is text already: {"a":1} -> "a":1
void splice_members(JsonWriter& json, std::string_view object) {
  if (object.size() > 2) json.raw(object.substr(1, object.size() - 2));
}

void write_audience(JsonWriter& json, const Audience& to) {
  json.object();
  json.key(to_string(to.kind));
  switch (to.kind) {
    case AudienceKind::all:
      json.value(true);
      break;
    case AudienceKind::token:
      json.object().field("channel", to.channel);
      json.field("token", to.names.empty() ? std::string() : to.names.front()).end_object();
      break;
    case AudienceKind::users:
    case AudienceKind::devices:
      json.array();
      for (const std::string& name : to.names) json.value(name);
      json.end_array();
      break;
    default:
      json.value(to.names.empty() ? std::string() : to.names.front());
  }
  json.end_object();
}

void write_options(JsonWriter& json, const Message& m) {
  json.object();
  json.field("ttl", m.ttl_ms / 1000)
      .field("priority", to_string(m.priority))
      .field("class", to_string(m.message_class));
  json.field("routing", to_string(m.routing)).field("silent", m.silent);
  json.optional_field("collapse_key", m.collapse_key);
  if (m.deliver_at_ms != m.accepted_ms) optional_time(json, "deliver_at", m.deliver_at_ms);
  if (!m.channels.empty()) {
    json.key("channels").array();
    for (const std::string& channel : m.channels) json.value(channel);
    json.end_array();
  }
  json.end_object();
}

void write_attempt(JsonWriter& json, const AttemptView& a) {
  json.object().field("number", a.number).field("channel", a.channel);
  optional_time(json, "started_at", a.started_ms);
  optional_time(json, "settled_at", a.settled_ms);
  json.field("result", a.result);
  if (a.http_status) json.field("http_status", a.http_status);
  json.optional_field("vendor_id", a.vendor_id).optional_field("vendor_code", a.vendor_code);
  json.optional_field("vendor_detail", a.vendor_detail).field("why", a.why);
  if (!a.why_json.empty()) json.key("why_numbers").raw(a.why_json);
  json.end_object();
}

std::string_view kind_name(routing::ReceiptKind kind) {
  switch (kind) {
    case routing::ReceiptKind::none:
      return "none";
    case routing::ReceiptKind::accepted:
      return "accepted";
    case routing::ReceiptKind::vendor:
      return "vendor";
    case routing::ReceiptKind::device:
      return "device";
  }
  return "none";
}

std::string_view action_name(routing::Action action) {
  switch (action) {
    case routing::Action::send:
      return "send";
    case routing::Action::wait:
      return "wait";
    case routing::Action::stop:
      return "stop";
  }
  return "stop";
}

std::string_view name_of(const std::vector<std::string>& names, routing::ChannelNo channel) {
  return channel < names.size() ? std::string_view(names[channel]) : std::string_view();
}

void write_candidate(JsonWriter& json, const routing::CandidateView& c, std::string_view channel) {
  json.object().field("channel", channel);
  if (c.sleep != routing::Sleep::awake) {
    json.field("asleep", routing::to_string(c.sleep)).end_object();
    return;
  }
  json.field("p", c.p).field("utility", c.utility).field("rate", c.rate).field("low", c.low).field("high", c.high);
  json.field("segment_rate", c.segment_rate).field("samples", c.samples);
  json.field("device_successes", c.device_successes).field("device_failures", c.device_failures);
  json.field("health", c.health).field("in_time", c.in_time).field("receipt_kind", kind_name(c.kind));
  json.field("propensity", c.propensity).field("alarmed", c.alarmed).field("reporting", c.reporting);
  json.end_object();
}

void write_remarks(JsonWriter& json, std::string_view name, const DryRun::Sample& s,
                   const std::vector<Preview::Remark>& remarks) {
  if (remarks.empty()) return;
  json.key(name).array();
  for (const Preview::Remark& r : remarks) {
    json.object().field("channel", s.channel).optional_field("field", r.field);
    json.field("detail", r.detail).end_object();
  }
  json.end_array();
}

void write_requests(JsonWriter& json, const std::vector<VendorRequest>& requests) {
  if (requests.empty()) return;
  std::string payload;
  json.key("requests").array();
  for (const VendorRequest& r : requests) {
    json.object().optional_field("method", r.method).optional_field("url", r.url).key("headers").array();
    for (const auto& [name, value] : r.headers) json.object().field("name", name).field("value", value).end_object();
    json.end_array().field("body", r.body).end_object();
    payload.append(payload.empty() ? "" : "\n").append(r.body);
  }
  json.end_array().optional_field("payload", payload);
}

}  // namespace

void write_device_members(JsonWriter& json, const Device& d) {
  json.field("device_id", d.id).optional_field("user_id", d.user_id).field("platform", d.platform);
  json.optional_field("manufacturer", d.manufacturer).optional_field("model", d.model);
  json.optional_field("os_version", d.os_version).optional_field("app_version", d.app_version);
  json.optional_field("locale", d.locale).optional_field("timezone", d.timezone).optional_field("network", d.network);
  if (d.location)
    json.key("location").object().field("lat", d.location->lat).field("lon", d.location->lon).end_object();
  json.key("tags").array();
  for (const std::string& tag : d.tags) json.value(tag);
  json.end_array();
  json.key("channels").object();
  for (const DeviceChannel& c : d.channels) {
    json.text_key(c.channel).object().optional_field("token", c.token);
    if (c.invalid) json.field("invalid", true);
    optional_time(json, "registered_at", c.registered_ms);
    json.end_object();
  }
  json.end_object();
  optional_time(json, "created_at", d.created_ms);
  optional_time(json, "updated_at", d.updated_ms);
  json.field("version", d.version);
}

void write_device(JsonWriter& json, const Device& device) {
  json.object();
  write_device_members(json, device);
  json.end_object();
}

void write_message(JsonWriter& json, const MessageView& view) {
  const Message& m = *view.message;
  json.object().field("message_id", m.id.text()).field("status", view.status).field("complete", view.complete);
  const MessageCounts& c = view.counts;
  json.key("counts").object();
  json.field("accepted", c.accepted).field("suppressed", c.suppressed).field("attempted", c.attempted);
  json.field("sent", c.sent).field("delivered", c.delivered).field("opened", c.opened).field("failed", c.failed);
  json.field("expired", c.expired).field("cancelled", c.cancelled).end_object();
  if (const MessageView::Recalls& r = view.recalls; r.asked != 0)
    json.key("recall").object().field("asked", r.asked).field("taken", r.taken).field("failed", r.failed).end_object();
  optional_time(json, "accepted_at", m.accepted_ms);
  optional_time(json, "expires_at", m.expires_ms());
  json.key("to");
  write_audience(json, m.to);
  splice_members(json, m.content);
  json.key("options");
  write_options(json, m);
  if (!m.overrides.empty()) {
    json.key("overrides").object();
    for (const auto& [channel, value] : m.overrides) json.text_key(channel).raw(value);
    json.end_object();
  }
  json.end_object();
}

void write_delivery(JsonWriter& json, const DeliveryView& d) {
  json.object().field("device_id", d.device_id).optional_field("user_id", d.user_id);
  json.field("state", to_string(d.state)).optional_field("reason", d.reason);
  optional_time(json, "planned_at", d.planned_ms);
  optional_time(json, "final_at", d.final_ms);
  json.key("attempts").array();
  for (const AttemptView& a : d.attempts) write_attempt(json, a);
  json.end_array().key("receipts").array();
  for (const ReceiptView& r : d.receipts) {
    json.object().field("event", to_string(r.event)).field("kind", to_string(r.kind));
    json.optional_field("channel", r.channel);
    optional_time(json, "at", r.at_ms);
    json.end_object();
  }
  json.end_array().end_object();
}

void write_dry_run(JsonWriter& json, const DryRun& run) {
  json.object().field("recipients", run.recipients).key("samples").array();
  for (const DryRun::Sample& s : run.samples) {
    json.object().optional_field("device_id", s.device_id).optional_field("user_id", s.user_id);
    json.optional_field("token", s.token)
        .optional_field("channel", s.channel)
        .field("reason", s.reason)
        .field("p", s.p);
    write_requests(json, s.preview.requests);
    write_remarks(json, "errors", s, s.preview.errors);
    write_remarks(json, "warnings", s, s.preview.warnings);
    json.end_object();
  }
  json.end_array().end_object();
}

void write_inbox_item(JsonWriter& json, const InboxItem& item) {
  const Message& m = *item.message;
  json.object().field("message_id", m.id.text());
  splice_members(json, m.content);
  json.field("sent_at", to_rfc3339(m.deliver_at_ms)).field("expires_at", to_rfc3339(m.expires_ms()));
  json.field("cursor", item.cursor).end_object();
}

void write_channel(JsonWriter& json, const ChannelView& c) {
  json.object().field("name", c.name).field("plugin", c.plugin).field("vendor", c.vendor).field("version", c.version);
  json.field("state", c.state).optional_field("state_reason", c.state_reason).field("admin_state", c.admin_state);
  json.field("window", c.window).field("in_flight", c.in_flight).field("queued", c.queued);
  optional_time(json, "held_until", c.held_until_ms);
  json.optional_field("hold_reason", c.hold_reason).field("connections", c.connections).key("troubles").array();
  for (const ChannelTrouble& t : c.troubles) {
    json.object().field("kind", t.kind).optional_field("manufacturer", t.manufacturer).optional_field("os", t.os);
    json.optional_field("region", t.region);
    optional_time(json, "since", t.since_ms);
    if (t.kind == "delivers_less") json.field("health", t.health);
    json.end_object();
  }
  json.end_array().end_object();
}

void write_reload(JsonWriter& json, const ReloadReport& r) {
  json.object().field("version_before", r.version_before).field("version_after", r.version_after);
  json.field("library_before", r.library_before).field("library_after", r.library_after);
  json.field("took_ms", r.took_ms).end_object();
}

void write_route(JsonWriter& json, const RouteView& view) {
  const routing::Decision& d = view.decision;
  json.object().key("decision").object().field("action", action_name(d.action));
  if (d.action == routing::Action::send) json.field("channel", name_of(view.channel_names, d.channel));
  if (d.action == routing::Action::wait) json.field("wait_s", d.wait_s);
  json.field("reason", routing::to_string(d.reason)).field("p", d.p).field("utility", d.utility);
  json.field("propensity", d.propensity).field("reach", d.reach).end_object();
  json.key("candidates").array();
  for (const routing::CandidateView& c : view.candidates)
    write_candidate(json, c, name_of(view.channel_names, c.channel));
  json.end_array().end_object();
}

void write_rates(JsonWriter& json, const RateView& view) {
  json.array();
  for (const routing::RateRow& r : view.rows) {
    json.object().field("channel", name_of(view.channel_names, r.channel));
    json.optional_field("manufacturer", r.manufacturer).optional_field("os", r.os);
    json.optional_field("app_version", r.app_version).field("receipt_kind", kind_name(r.kind));
    json.field("sent", r.sent).field("settled", r.settled).field("delivered", r.delivered).field("opened", r.opened);
    // What is only known to be accepted has no delivery rate, and nor has what still waits for its first outcome.
    const bool measured =
        r.settled > 0 && (r.kind == routing::ReceiptKind::vendor || r.kind == routing::ReceiptKind::device);
    if (measured)
      json.field("rate", r.rate).field("low", r.low).field("high", r.high);
    else
      json.key("rate").null();
    if (measured && r.delivered > 0) json.field("median_delay_s", r.median_delay_s);
    json.end_object();
  }
  json.end_array();
}

void write_event(JsonWriter& json, const LifeEvent& e) {
  json.object().field("at", to_rfc3339(e.at_ms)).field("app", e.app).field("message_id", e.message.text());
  json.optional_field("device_id", e.device_id).field("event", e.event);
  json.optional_field("channel", e.channel).optional_field("detail", e.detail).end_object();
}

}  // namespace godwit
