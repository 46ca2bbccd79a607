// Instance::preview: what the plugin would send, collected while its render runs. A pure function of the plugin, called
// by any thread, but never while it stops.
#include <algorithm>
#include <array>

#include "broker/channels/abi_text.hpp"
#include "broker/channels/instance.hpp"
#include "broker/channels/message_form.hpp"

namespace godwit::channels {
namespace {

constexpr size_t kMostRequests = 100, kMostHeaders = 100, kMostBytes = 1 << 20;

// Plugins replace what is secret themselves (godwit.preview/1); one that forgot must not show it to every holder of a
// server key.
struct Collector {
  const SecretStore& secrets;
  Preview preview;
  size_t bytes = 0;

  static void take(void* self, const gw_preview_request* request) {
    auto& c = *static_cast<Collector*>(self);
    if (!request || c.preview.requests.size() == kMostRequests || c.bytes >= kMostBytes) return;
    VendorRequest& out = c.preview.requests.emplace_back();
    out.method = clean_text(request->method, 32);
    out.url = c.secrets.redacted(clean_text(request->url, 8192));
    for (uint32_t i = 0; i < std::min<size_t>(request->header_count, kMostHeaders); ++i) {
      const std::string name = clean_text(request->headers[2 * i], 256);
      out.headers.emplace_back(
          name, proves_identity(name) ? "***" : c.secrets.redacted(clean_text(request->headers[2 * i + 1], 8192)));
    }
    out.body = c.secrets.redacted(std::string(from_gw(request->body).substr(0, kMostBytes)));
    c.bytes += out.body.size();
  }

  static bool proves_identity(std::string name) {
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c);
    });
    constexpr std::array kNames{"authorization", "proxy-authorization", "cookie"};
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
  }
};

}  // namespace

Result<Preview> Instance::preview(const Parcel& parcel) {
  if (type_.preview.size == 0) return Error{Code::not_found, "channel '" + name_ + "' shows no previews", {}};
  Collector collector{secrets_, {}};
  Preview& out = collector.preview;
  if (const std::string fault = unfit(parcel); !fault.empty()) {
    out.errors.push_back({{}, fault});
    return std::move(out);
  }
  MessageForm form;
  // Borrowed for this call: the caller holds the parcel.
  form.fill(std::shared_ptr<const Parcel>(std::shared_ptr<const Parcel>(), &parcel), 0, type_.caps.priority_levels);
  Diagnosis said;
  const gw_preview_sink sink{sizeof sink, 0, &collector, &Collector::take, said.get()};

  std::shared_lock door(door_);
  const Phase phase = phase_.load();
  if (phase < Phase::created || phase > Phase::draining)
    return Error{Code::unavailable, "the channel is not running", {}};
  const int32_t status = guard([&] { return type_.preview.render(self_, form.message(), &sink); }, &said);
  for (const Diagnosis::Report& r : said.reports())
    if (r.severity >= GW_DIAG_WARNING)
      (r.severity >= GW_DIAG_ERROR ? out.errors : out.warnings).push_back({r.where, secrets_.redacted(r.text)});
  if (status != GW_OK && out.errors.empty())
    out.errors.push_back({{}, "the channel refuses it with " + status_text(status) + " and does not say why"});
  return std::move(out);
}

}  // namespace godwit::channels
