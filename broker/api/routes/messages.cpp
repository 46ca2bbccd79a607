// Messages: accept, look at, cancel, try out. The batch stands in batch.cpp.
#include "broker/api/routes/accept_gather.hpp"
#include "broker/api/routes/batch.hpp"
#include "broker/api/routes/call.hpp"
#include "broker/api/views.hpp"

namespace godwit {
namespace {

// The hot path: parse, gather, and the broker's answer comes back through AcceptGather.
void accept(Api& api, Call& call, http::Reply reply) {
  auto draft = parse_message(call.request.body, api.rules, *call.caller.rules, api.now(), call.request.idempotency_key,
                             call.faults);
  if (!draft) return reply.send(call.faults.response());
  const double wait = call.caller.quota->messages.take(1, api.parts.clock.mono_ns());
  if (wait > 0) return reply.send(retry_later(problem_kinds::too_many, "the app's messages_per_s are used up", wait));
  draft->message.app = std::move(call.caller.app);
  AcceptGather& gather = *api.gathers[reply.home()->number()];
  gather.add(*std::move(draft), std::move(reply));
}

void validate(Api& api, Call& call, http::Reply reply) {
  auto draft = parse_message(call.request.body, api.rules, *call.caller.rules, api.now(), {}, call.faults);
  if (!draft) return reply.send(call.faults.response());
  draft->message.app = std::move(call.caller.app);
  api.broker().dry_run(*std::move(draft), bring<DryRun>(std::move(reply), [](http::Reply r, const DryRun& run) {
    std::string body;
    JsonWriter json(body);
    write_dry_run(json, run);
    r.send(json_answer(200, std::move(body)));
  }));
}

// Nothing, after having answered, for what cannot be an id of ours.
std::optional<MessageId> message_id(const Call& call, http::Reply& reply) {
  const auto id = MessageId::parse(call.path_value("message_id"));
  if (!id)
    reply.send(problem(problem_kinds::not_found,
                       "path:message_id: message ids have 26 characters, as they were "
                       "answered when the message was accepted"));
  return id;
}

void get(Api& api, Call& call, http::Reply reply) {
  const auto id = message_id(call, reply);
  if (!id) return;
  api.broker().get_message(call.caller.app, *id,
                           bring<MessageView>(std::move(reply), [](http::Reply r, const MessageView& view) {
                             std::string body;
                             JsonWriter json(body);
                             write_message(json, view);
                             r.send(json_answer(200, std::move(body)));
                           }));
}

void deliveries(Api& api, Call& call, http::Reply reply) {
  const auto id = message_id(call, reply);
  if (!id) return;
  api.broker().get_deliveries(
      call.caller.app, *id, std::string(call.query.text("device")), std::string(call.query.text("page")),
      bring<DeliveryPage>(std::move(reply), [id = *id](http::Reply r, const DeliveryPage& page) {
        std::string body;
        JsonWriter json(body);
        json.object().field("message_id", id.text()).key("deliveries").array();
        for (const DeliveryView& d : page.deliveries) write_delivery(json, d);
        json.end_array().optional_field("next_page", page.next_page).end_object();
        r.send(json_answer(200, std::move(body)));
      }));
}

void cancel(Api& api, Call& call, http::Reply reply) {
  const auto id = message_id(call, reply);
  if (!id) return;
  api.broker().cancel_message(call.caller.app, *id,
                              bring<CancelAnswer>(std::move(reply), [id = *id](http::Reply r, const CancelAnswer& a) {
                                std::string body;
                                JsonWriter(body)
                                    .object()
                                    .field("message_id", id.text())
                                    .field("cancelled", a.cancelled)
                                    .field("already_out", a.already_out)
                                    .field("recalling", a.recalling)
                                    .end_object();
                                r.send(json_answer(200, std::move(body)));
                              }));
}

}  // namespace

const std::vector<Route>& message_routes() {
  using http::Method;
  static const std::vector<Route> routes{
      {.method = Method::post,
       .path = "/v1/messages",
       .who = kServer,
       .handle = accept,
       .id = "sendMessage",
       .tag = "Messages",
       .summary = "Accept one message",
       .description = "202 comes once the message is durable: it survives a crash and ends in a final state. With an "
                      "`Idempotency-Key`, the same call within 24 hours answers the first answer again (and says so in "
                      "`Idempotent-Replayed`); the same key with another message is 409.",
       .body = {"Message"},
       .answers = {{202, "Accepted and durable", "Accepted"}},
       .idempotency_key = true},
      {.method = Method::post,
       .path = "/v1/messages/batch",
       .who = kServer,
       .handle = accept_batch,
       .id = "sendMessages",
       .tag = "Messages",
       .summary = "Accept any number of messages",
       .description =
           "One message a line, or one JSON array. The answer has a line for each message in the same order, sent as "
           "soon as the message is durable, also while the request is still being sent: read while you write. Faulty "
           "messages do not stop the others. A batch over the app's messages_per_s is slowed down.",
       .body = {"Message", "application/x-ndjson", "MessageArray", "application/json"},
       .answers = {{200, "A line for each message", "BatchLine", "application/x-ndjson"}},
       .streams = true},
      {.method = Method::post,
       .path = "/v1/messages/validate",
       .who = kServer,
       .handle = validate,
       .id = "validateMessage",
       .tag = "Messages",
       .summary = "Dry run: who would get it, over which channel, as which vendor payload",
       .description =
           "Nothing is stored and nothing is sent. The first 20 devices are shown, each with the requests to the "
           "vendor (what is secret reads `***`), or with why its channel would refuse the message.",
       .body = {"Message"},
       .answers = {{200, "What would happen", "DryRun"}}},
      {.method = Method::get,
       .path = "/v1/messages/{message_id}",
       .who = kServer,
       .handle = get,
       .id = "getMessage",
       .tag = "Messages",
       .summary = "State and counts of a message",
       .description = "",
       .answers = {{200, "The message", "MessageView"}}},
      {.method = Method::del,
       .path = "/v1/messages/{message_id}",
       .who = kServer,
       .handle = cancel,
       .id = "cancelMessage",
       .tag = "Messages",
       .summary = "Cancel what has not gone out, recall where the channel can",
       .description =
           "What a vendor has taken keeps the state it has reached; where its channel can recall, the vendor "
           "is asked to take it back, and `recall` of the message and `reason` of each delivery tell how that "
           "went. A vendor that takes a recall does not say whether the phone had shown the message.",
       .answers = {{200, "How much was stopped", "Cancelled"}}},
      {.method = Method::get,
       .path = "/v1/messages/{message_id}/deliveries",
       .who = kServer,
       .handle = deliveries,
       .id = "listDeliveries",
       .tag = "Messages",
       .summary = "The life of a message, device by device",
       .description = "Every attempt with channel, time, vendor id and vendor answer, every receipt, and why each "
                      "channel was chosen.",
       .query = {{"device", "string", "This device only", "d-1"},
                 {"page", "string", "`next_page` of the answer before", ""}},
       .answers = {{200, "A page of deliveries", "DeliveryPage"}}},
  };
  return routes;
}

}  // namespace godwit
