// EXPECT: parse_webhook must be `godwit::Result<void> parse_webhook\(const godwit::WebhookRequest&
#include "common.hpp"
struct Bad final : Fine {
  static constexpr auto describe() { return kInfo; }
  static godwit::Result<std::unique_ptr<Bad>> create(godwit::Host, std::string_view) { return std::make_unique<Bad>(); }
  godwit::Result<void> parse_webhook(const godwit::WebhookRequest&, godwit::WebhookSink&) { return {}; }
};
GW_EXPORT_CHANNEL(Bad)
