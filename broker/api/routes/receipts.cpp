// What devices and vendors tell us: receipts, the inbox, callbacks.
#include "broker/api/parse/names.hpp"
#include "broker/api/parse/parse_receipts.hpp"
#include "broker/api/routes/call.hpp"
#include "broker/api/views.hpp"

namespace godwit {
namespace {

constexpr int64_t kLongestWaitS = 60, kInboxLimit = 100, kMostInbox = 500;

void report(Api& api, Call& call, http::Reply reply) {
  const std::string& own = call.caller.device_id;
  auto receipts = parse_receipts(call.request.body, api.rules.json_depth, own, api.now(), call.faults);
  if (!receipts) return reply.send(call.faults.response());
  if (!own.empty())
    for (size_t i = 0; i < receipts->size(); ++i)
      if (receipts->at(i).device_id != own)
        return reply.send(problem(problem_kinds::forbidden,
                                  "/" + std::to_string(i) + "/device_id: a device reports for itself only"));
  api.broker().report_receipts(call.caller.app, *std::move(receipts),
                               bring<ReceiptAnswer>(std::move(reply), [](http::Reply r, const ReceiptAnswer& a) {
                                 std::string body;
                                 JsonWriter(body)
                                     .object()
                                     .field("counted", a.counted)
                                     .field("repeated", a.repeated)
                                     .field("unknown", a.unknown)
                                     .end_object();
                                 r.send(json_answer(200, std::move(body)));
                               }));
}

// Holds the reply of a long poll, so that a server that stops can answer before the wait is over.
class InboxPoll final : public http::Watcher {
 public:
  InboxPoll(http::Reply reply, std::string after) : reply_(std::move(reply)), after_(std::move(after)) {}

  static void start(const std::shared_ptr<InboxPoll>& poll) { poll->reply_.watch(poll); }
  void answer(const Result<Broker::InboxPage>& page) {
    if (!page) return reply_.send(problem(page.error()));
    std::string body;
    JsonWriter json(body);
    json.object().key("messages").array();
    for (const InboxItem& item : page->items) write_inbox_item(json, item);
    json.end_array().field("cursor", page->cursor.empty() ? after_ : page->cursor).end_object();
    reply_.send(json_answer(200, std::move(body)));
  }
  void on_drain() override { answer(Broker::InboxPage{}); }
  std::shared_ptr<http::Home> home() const { return reply_.home(); }

 private:
  http::Reply reply_;
  const std::string after_;
};

void inbox(Api& api, Call& call, http::Reply reply) {
  const int64_t wait_s = call.query.integer("wait", 0, 0, kLongestWaitS, call.faults);
  const int64_t limit = call.query.integer("limit", kInboxLimit, 1, kMostInbox, call.faults);
  if (!call.faults.empty()) return reply.send(call.faults.response());
  const std::string after(call.query.text("after"));
  const auto poll = std::make_shared<InboxPoll>(std::move(reply), after);
  const std::shared_ptr<http::Home> home = poll->home();
  InboxPoll::start(poll);
  api.broker().inbox(call.caller.app, call.caller.device_id, after, home->draining() ? 0 : wait_s * 1000,
                     static_cast<unsigned>(limit), [home, poll](Result<Broker::InboxPage> page) {
                       home->post([poll, page = std::move(page)] { poll->answer(page); });
                     });
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

void vendor_callback(Api& api, Call& call, http::Reply reply) {
  Broker::VendorCall out;
  out.channel = call.path_value("channel");
  out.method = std::string(call.request.method_text);
  out.tail = call.path_value("tail");
  out.query = std::string(call.request.query);
  out.body = std::string(call.request.body);
  for (const http::Header& h : call.request.headers) out.headers.emplace_back(lower_case(h.name), h.value);
  api.broker().vendor_callback(
      std::move(out), bring<Broker::CallbackAnswer>(std::move(reply), [](http::Reply r, Broker::CallbackAnswer answer) {
        http::Response response;
        response.status = answer.status;
        response.content_type = {};
        if (!answer.content_type.empty()) response.headers.emplace_back("Content-Type", std::move(answer.content_type));
        response.body = std::move(answer.body);
        r.send(std::move(response));
      }));
}

}  // namespace

const std::vector<Route>& receipt_routes() {
  using http::Method;
  static const std::vector<Route> routes{
      {.method = Method::post,
       .path = "/v1/receipts",
       .who = kDevice | kServer,
       .handle = report,
       .id = "reportReceipts",
       .tag = "Receipts",
       .summary = "Say what became of messages",
       .description = "Up to 1000 at once. A receipt for the same message, device and event counts once. A device may "
                      "leave out its own `device_id`, and may not name another.",
       .body = {"ReceiptArray"},
       .answers = {{200, "How many were new", "ReceiptsCounted"}}},
      {.method = Method::get,
       .path = "/v1/inbox",
       .who = kDevice,
       .handle = inbox,
       .id = "readInbox",
       .tag = "Receipts",
       .summary = "Messages that the device has not acknowledged",
       .description = "For catching up after being offline, and for clients that poll. Acknowledge with a `delivered` "
                      "receipt. With `wait` the answer comes when there is something, or empty when the time is over.",
       .query = {{"after", "string", "`cursor` of the answer before", ""},
                 {"wait", "integer", "Seconds to wait for something new, 0 to 60", "30"},
                 {"limit", "integer", "Messages at most, 1 to 500; 100 when left out", "100"}},
       .answers = {{200, "The messages, oldest first", "InboxPage"}}},
      {.method = Method::post,
       .path = "/v1/callbacks/{channel}",
       .who = kVendor,
       .handle = vendor_callback,
       .id = "vendorCallback",
       .tag = "Receipts",
       .summary = "Where vendors report deliveries",
       .description = "Handed to the channel's plugin, which checks the caller and answers in the vendor's format. Any "
                      "method.",
       .body = {"AnyBody", "*/*"},
       .answers = {{200, "As the vendor expects it", "AnyBody", "*/*"}},
       .any_method = true},
      {.method = Method::post,
       .path = "/v1/callbacks/{channel}/{tail...}",
       .who = kVendor,
       .handle = vendor_callback,
       .id = "vendorCallbackBelow",
       .tag = "Receipts",
       .summary = "Where vendors report deliveries, below the channel's path",
       .description = "As above; the rest of the path goes to the plugin. Any method, any depth.",
       .body = {"AnyBody", "*/*"},
       .answers = {{200, "As the vendor expects it", "AnyBody", "*/*"}},
       .any_method = true},
  };
  return routes;
}

}  // namespace godwit
