#include "broker/api/openapi/document.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "broker/api/problem.hpp"
#include "broker/api/routes/route.hpp"
#include "broker/observe/version.hpp"

namespace godwit {
namespace {

using nlohmann::json;

// A member's order is the order in which people read it.
using ordered = nlohmann::ordered_json;

std::string text(std::string_view view) {
  return std::string(view);
}

ordered schema_ref(std::string_view name) {
  return {{"$ref", "#/components/schemas/" + text(name)}};
}

// {tail...} is {tail} in the document, which has no word for "and all that follow".
std::string document_path(std::string_view path) {
  std::string out(path);
  if (const size_t dots = out.find("..."); dots != out.npos) out.erase(dots, 3);
  return out;
}

std::string describe_path_parameter(const std::string& name) {
  if (name == "device_id") return "1 to 64 of A-Z a-z 0-9 . _ : @ -";
  if (name == "user_id") return "Your id of the user, percent-encoded";
  if (name == "message_id") return "As answered when the message was accepted";
  if (name == "topic") return "1 to 128 of A-Z a-z 0-9 . _ : @ ~ -";
  if (name == "tail") return "Any further path; the plugin knows it";
  return "Name of the channel instance, as configured";
}

ordered path_parameters(std::string_view path) {
  ordered out = ordered::array();
  const std::string clean = document_path(path);
  for (size_t open = clean.find('{'); open != clean.npos; open = clean.find('{', open + 1)) {
    const std::string name = clean.substr(open + 1, clean.find('}', open) - open - 1);
    out.push_back({{"name", name},
                   {"in", "path"},
                   {"required", true},
                   {"description", describe_path_parameter(name)},
                   {"schema", {{"type", "string"}}}});
  }
  return out;
}

ordered query_parameter(const Parameter& p) {
  ordered schema{{"type", text(p.type)}};
  if (!p.values.empty()) schema["enum"] = std::vector<std::string>(p.values.begin(), p.values.end());
  ordered out{{"name", text(p.name)}, {"in", "query"}, {"description", text(p.description)}, {"schema", schema}};
  if (!p.example.empty())
    out["example"] = p.type == "integer" ? ordered(std::stoll(text(p.example))) : ordered(text(p.example));
  return out;
}

ordered parameters(const Route& route) {
  ordered out = path_parameters(route.path);
  for (const Parameter& p : route.query) out.push_back(query_parameter(p));
  if (route.who & kServer) out.push_back({{"$ref", "#/components/parameters/App"}});
  if (route.idempotency_key) out.push_back({{"$ref", "#/components/parameters/IdempotencyKey"}});
  out.push_back({{"$ref", "#/components/parameters/RequestId"}});
  return out;
}

ordered security(const Route& route) {
  ordered out = ordered::array();
  if (route.who & kServer) out.push_back({{"serverKey", json::array()}});
  if (route.who & kClient) out.push_back({{"clientKey", json::array()}});
  if (route.who & kDevice) out.push_back({{"deviceCredential", json::array()}});
  if (route.who & (kAdmin | kServer | kLoopback)) out.push_back({{"adminKey", json::array()}});
  if (route.who & (kVendor | kLoopback)) out.push_back(ordered::object());  // nothing at all is enough
  return out;
}

ordered content(std::string_view type, std::string_view schema) {
  return {{text(type), {{"schema", schema_ref(schema)}}}};
}

// The problems that a call of this kind can end in, beside its answers.
std::vector<int> problem_statuses(const Route& route) {
  std::vector<int> out{429, 500, 503};
  if (!(route.who & kVendor)) out.insert(out.end(), {401, 403});
  if (route.path.find('{') != route.path.npos) out.push_back(404);
  if (!route.body.schema.empty()) out.insert(out.end(), {400, 408, 413, 422});
  if (!route.query.empty()) out.push_back(422);
  if (route.streams) out.push_back(415);
  if (route.idempotency_key) out.insert(out.end(), {409, 507});
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

ordered responses(const Route& route) {
  ordered out = ordered::object();
  for (const Answer& a : route.answers) {
    ordered one{{"description", text(a.description)},
                {"headers", {{"X-Request-Id", {{"$ref", "#/components/headers/RequestId"}}}}}};
    if (!a.schema.empty()) one["content"] = content(a.content_type, a.schema);
    if (route.idempotency_key)
      one["headers"]["Idempotent-Replayed"] = {{"$ref", "#/components/headers/IdempotentReplayed"}};
    out[std::to_string(a.status)] = one;
  }
  for (const int status : problem_statuses(route))
    out[std::to_string(status)] = {{"$ref", "#/components/responses/Problem" + std::to_string(status)}};
  return out;
}

ordered operation(const Route& route, const std::string& id_suffix) {
  ordered out{
      {"operationId", text(route.id) + id_suffix}, {"tags", {text(route.tag)}}, {"summary", text(route.summary)}};
  if (!route.description.empty()) out["description"] = text(route.description);
  out["security"] = security(route);
  out["parameters"] = parameters(route);
  const bool has_body = !route.body.schema.empty() && id_suffix != "Get";
  if (has_body) {
    ordered body{{"required", !route.any_method}, {"content", content(route.body.content_type, route.body.schema)}};
    if (!route.body.other_schema.empty())
      body["content"].update(content(route.body.other_content_type, route.body.other_schema));
    out["requestBody"] = body;
  }
  out["responses"] = responses(route);
  return out;
}

std::string lower(std::string_view method) {
  std::string out(method);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

ordered paths() {
  ordered out = ordered::object();
  for (const Route* route : all_routes()) {
    ordered& item = out[document_path(route->path)];
    item[lower(to_string(route->method))] = operation(*route, "");
    if (!route->any_method) continue;
    item["get"] = operation(*route, "Get");
    item["put"] = operation(*route, "Put");
  }
  return out;
}

ordered problem_responses() {
  ordered out = ordered::object();
  for (const ProblemKind& kind : all_problem_kinds()) {
    const std::string name = "Problem" + std::to_string(kind.status);
    if (out.contains(name)) {
      out[name]["description"] = out[name]["description"].get<std::string>() + ". Or: " + text(kind.title);
      continue;
    }
    ordered one{{"description", text(kind.title)},
                {"headers", {{"X-Request-Id", {{"$ref", "#/components/headers/RequestId"}}}}},
                {"content", content("application/problem+json", "Problem")}};
    if (kind.status == 429 || kind.status == 503 || kind.status == 507)
      one["headers"]["Retry-After"] = {{"$ref", "#/components/headers/RetryAfter"}};
    out[name] = one;
  }
  return out;
}

ordered components() {
  const auto bearer = [](const char* description) {
    return ordered{{"type", "http"}, {"scheme", "bearer"}, {"description", description}};
  };
  const ordered string_schema{{"type", "string"}};
  return {
      {"securitySchemes",
       {{"serverKey", bearer("A server key of the app: everything in its app")},
        {"clientKey", bearer("A client key, shipped inside an app: registers devices")},
        {"deviceCredential", bearer("What a device got when it registered: its own receipts, inbox and state")},
        {"adminKey", bearer("Spans apps; calls of one app name it with ?app=ID")}}},
      {"parameters",
       {{"App",
         {{"name", "app"},
          {"in", "query"},
          {"description", "With an admin key: the app that is meant"},
          {"schema", string_schema}}},
        {"IdempotencyKey",
         {{"name", "Idempotency-Key"},
          {"in", "header"},
          {"description", "1 to 255 bytes of your choice; repeats within 24 hours get the first answer"},
          {"schema", {{"type", "string"}, {"minLength", 1}, {"maxLength", 255}}},
          {"example", "order-123-shipped"}}},
        {"RequestId",
         {{"name", "X-Request-Id"},
          {"in", "header"},
          {"description", "Comes back with the answer; 1 to 64 of A-Z a-z 0-9 . _ : -"},
          {"schema", {{"type", "string"}, {"pattern", "^[A-Za-z0-9._:-]{1,64}$"}}}}}}},
      {"headers",
       {{"RequestId", {{"description", "Names this request in logs"}, {"schema", string_schema}}},
        {"RetryAfter", {{"description", "Seconds to wait, spread over callers"}, {"schema", {{"type", "integer"}}}}},
        {"IdempotentReplayed", {{"description", "true: this is the first answer again"}, {"schema", string_schema}}}}},
      {"responses", problem_responses()},
      {"schemas", ordered::parse(kOpenApiSchemas)},
  };
}

}  // namespace

std::string openapi_document() {
  ordered out{
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "Godwit"},
        {"version", text(version())},
        {"summary", "A push broker: one call, one id, one honest answer to \"did it arrive?\""},
        {"description",
         "Register devices, hand over messages, follow them to the device. Errors are RFC 9457 problems; `errors` "
         "names "
         "every fault of the input at once. 429, 503 and 507 carry Retry-After."},
        {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
      {"servers", {{{"url", "/"}}}},
      {"tags",
       {{{"name", "Devices"}, {"description", "Who can be reached, and where"}},
        {{"name", "Topics"}, {"description", "Names that devices subscribe to"}},
        {{"name", "Messages"}, {"description", "What is to be delivered, and what became of it"}},
        {{"name", "Receipts"}, {"description", "What devices and vendors report"}},
        {{"name", "Channels"}, {"description", "Ways to devices, and their switches"}},
        {{"name", "Routing"}, {"description", "What is measured, and what follows from it"}},
        {{"name", "Operations"}, {"description", "For operators and their tools"}}}},
      {"paths", paths()},
      {"components", components()},
  };
  return out.dump();
}

}  // namespace godwit
