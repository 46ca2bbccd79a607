// The neutral notification as the fields of a Mi Push call (mapping of titles, data, links, sound, time-to-live,
// collapse key and class). Pure. Documents: pId 1559 (parameters), 1656 (limits), 1856 (notify_effect is compulsory).
#pragma once

#include <string>
#include <string_view>

#include <godwit/message.hpp>
#include <godwit/result.hpp>

#include "config.hpp"
#include "form.hpp"

namespace mipush {

struct Fields {
  Form form;  // everything but the targets
  const MessageClass* message_class = nullptr;
};

// GW_E_INVALID: the message cannot be said in this vendor's terms (it is too large); the text says why.
godwit::Result<Fields> fields_of(const Config& config, const godwit::Message& message);

// The number that a shown notification is replaced by: of the collapse key, else of the message itself.
uint32_t notify_id(std::string_view key);

}  // namespace mipush
