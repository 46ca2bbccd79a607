// Envelope is the payload that a device gets: {"message_id": "...", "sent_at": "...", <members of the content>}.
//
// It is put together from pieces around the host's own bytes, so nothing is parsed or copied twice.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <godwit/message.hpp>

namespace selfconn {

class Envelope {
 public:
  // `sent_at` and the message must outlive it.
  Envelope(godwit::Message message, std::string_view sent_at);

  // False: the content is no JSON object, or the id cannot stand in JSON. Such a message can never pass here.
  bool is_valid() const { return is_valid_; }
  size_t size() const;
  // REQUIRES: room.size() >= size()
  void write(std::span<uint8_t> room) const;

 private:
  std::string_view message_id_, sent_at_;
  std::string_view members_;  // of the content, with the closing brace
  bool is_valid_ = false;
};

}  // namespace selfconn
