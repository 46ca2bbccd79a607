#include "plugins/xmpp/push/content.hpp"

#include <godwit/json.hpp>

namespace xmpp {

Content::Content(godwit::Message message) {
  if (message.content_kind() != GW_CONTENT_NOTIFICATION) return;
  const auto json = godwit::parse_json(message.content());
  is_valid = json && json->is_object();
  if (!is_valid) return;
  if (const auto it = json->find("notification"); it != json->end()) {
    title = godwit::text_of(*it, "title");
    body = godwit::text_of(*it, "body");
    link = godwit::text_of(*it, "link");
    image = godwit::text_of(*it, "image");
  }
  if (message.vendor_options().empty()) return;
  const auto options = godwit::parse_json(message.vendor_options());
  has_valid_options = options && options->is_object();
  if (!has_valid_options) return;
  type = godwit::text_of(*options, "type");
  has_valid_options = !options->contains("type") || type == "normal" || type == "chat" || type == "headline";
}

}  // namespace xmpp
