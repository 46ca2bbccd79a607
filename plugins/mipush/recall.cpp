#include "recall.hpp"

#include <godwit/json.hpp>

#include "address.hpp"
#include "answer.hpp"
#include "form.hpp"
#include "notification.hpp"

namespace mipush {
namespace {

// The number under which the phone shows it (notification.cpp).
uint32_t shown_as(std::string_view message_id, gw_str extra) {
  const godwit::Json of_target = godwit::Json::parse(godwit::view(extra), nullptr, false);
  const std::string collapse_key = of_target.is_object() ? godwit::text_of(of_target, "collapse_key") : std::string();
  return notify_id(collapse_key.empty() ? message_id : collapse_key);
}

int32_t status_of(const Answer& answer) {
  switch (answer.verdict) {
    case Verdict::accepted:
      return GW_OK;
    case Verdict::account:
    case Verdict::config:
      return GW_E_DENIED;
    case Verdict::retry:
    case Verdict::retry_once:
    case Verdict::too_fast:
    case Verdict::too_often:
      return GW_E_BUSY;
    default:
      return GW_E_NOT_FOUND;
  }
}

}  // namespace

void Recalls::recall(const gw_recall_request& request, const std::string& authorization, godwit::RecallDone done) {
  Form form;
  form.put("restricted_package_name", config_.package_name);
  std::string path;
  if (config_.recall_api == "v2") {
    if (godwit::view(request.vendor_id).empty()) return done(GW_E_NOT_FOUND, "the vendor never took this message");
    path = "/v2/message/revoke";
    form.put("msg_id", std::string(godwit::view(request.vendor_id)));
  } else {
    if (!request.target) return done(GW_E_UNSUPPORTED, "recall_api " + config_.recall_api + " takes back by target");
    const Address address = address_of(godwit::view(request.target->address));
    if (address.kind == kTopic && config_.recall_api == "v3")
      return done(GW_E_UNSUPPORTED, "recall_api v3 takes back from regids, aliases and accounts");
    path = "/" + config_.recall_api + "/message/" + std::string(kAddressKinds[address.kind].revoke_path) + "/revoke";
    form.put(kAddressKinds[address.kind].field, std::string(address.name));
    form.put("notify_id", shown_as(godwit::view(request.message_id), request.target->extra));
  }
  pool_.send({.path = path,
              .headers = {{"authorization", authorization},
                          {"content-type", "application/x-www-form-urlencoded;charset=UTF-8"}},
              .body = form.encoded()},
             [done = std::move(done)](const godwit::HttpReply& reply) mutable {
               if (!reply.is_answered()) return done(GW_E_IO, reply.error());
               const Answer answer = read_answer(reply.http_status(), reply.body(), reply.header("retry-after"));
               done(status_of(answer), answer.reason);
             });
}

}  // namespace mipush
