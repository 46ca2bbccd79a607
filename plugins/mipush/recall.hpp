// Recalls takes a message back from the vendor and from the phones that show it.
//
// The V3 interface (compulsory from 2026-12-01) and V1 name a message by target and notify_id, V2 by the vendor's
// message id. The parameters of V3 are not published; they are taken to be those of V1. Lane only.
#pragma once

#include <string>

#include <godwit/channel.hpp>
#include <godwit/message.hpp>
#include <godwit/services/http.hpp>

#include "config.hpp"

namespace mipush {

class Recalls {
 public:
  Recalls(godwit::Host host, const Config& config, const godwit::HttpPool& pool)
      : host_(host), config_(config), pool_(pool) {}

  // A message with a collapse key is shown under the key's number: the host tells the key in the target's `extra`.
  void recall(const gw_recall_request& request, const std::string& authorization, godwit::RecallDone done);

 private:
  godwit::Host host_;
  const Config& config_;
  const godwit::HttpPool& pool_;
};

}  // namespace mipush
