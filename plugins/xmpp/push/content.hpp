// Content is what a stanza needs of a message's JSON. Views and texts live as long as the object.
#pragma once

#include <godwit/message.hpp>
#include <string>

namespace xmpp {

struct Content {
  explicit Content(godwit::Message message);

  bool is_valid = false;  // a JSON object, as the ABI promises
  std::string title, body, link, image;
  std::string type;  // of vendor_options: "normal", "chat" or "headline"; empty: ours
  bool has_valid_options = true;
};

}  // namespace xmpp
