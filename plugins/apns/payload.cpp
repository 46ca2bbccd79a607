#include "payload.hpp"

#include <simdjson.h>

#include <array>
#include <charconv>
#include <optional>

namespace apns {
namespace {

namespace dom = simdjson::dom;

constexpr size_t kMostKeys = 64;  // they are compared with each other; an object with more is not plain
constexpr int kMostDepth = 32;

void write_text(std::string_view text, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  size_t plain = 0;  // from here on nothing needs an escape
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    out += '\\';
    switch (c) {
      case '"':
      case '\\':
        out += static_cast<char>(c);
        break;
      case '\b':
        out += 'b';
        break;
      case '\f':
        out += 'f';
        break;
      case '\n':
        out += 'n';
        break;
      case '\r':
        out += 'r';
        break;
      case '\t':
        out += 't';
        break;
      default:
        out += "u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(text, plain);
  out += '"';
}

template <class Number>
void write_number(Number number, std::string& out) {
  std::array<char, 24> digits;
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

// Members with a comma between them.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_ += '{'; }
  std::string& key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    write_text(name, out_);
    out_ += ':';
    return out_;
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

bool has_a_key_twice(const dom::object& object) {
  std::array<std::string_view, kMostKeys> keys;
  size_t count = 0;
  for (const auto& [key, value] : object) {
    if (count == kMostKeys) return true;
    for (size_t i = 0; i < count; ++i)
      if (keys[i] == key) return true;
    keys[count++] = key;
  }
  return false;
}

bool write_value(const dom::element& value, std::string& out, int depth = 0) {
  if (depth == kMostDepth) return false;
  switch (value.type()) {
    case dom::element_type::STRING:
      write_text(std::string_view(value), out);
      return true;
    case dom::element_type::INT64:
      write_number(int64_t(value), out);
      return true;
    case dom::element_type::UINT64:
      write_number(uint64_t(value), out);
      return true;
    case dom::element_type::BOOL:
      out += bool(value) ? "true" : "false";
      return true;
    case dom::element_type::NULL_VALUE:
      out += "null";
      return true;
    case dom::element_type::DOUBLE:
      return false;  // how many digits are right is the tree's knowledge
    case dom::element_type::ARRAY: {
      char before = '[';
      for (const dom::element& item : dom::array(value)) {
        out += before;
        if (!write_value(item, out, depth + 1)) return false;
        before = ',';
      }
      if (before == '[') out += '[';
      out += ']';
      return true;
    }
    case dom::element_type::OBJECT: {
      const dom::object object(value);
      if (has_a_key_twice(object)) return false;
      Members members(out);
      for (const auto& [key, member] : object)
        if (!write_value(member, members.key(key), depth + 1)) return false;
      members.end();
      return true;
    }
  }
  return false;
}

// What a notification may hold, in one pass over its members; push.cpp tells what becomes of each.
struct Notification {
  std::optional<dom::element> title, subtitle, body, title_key, subtitle_key, body_key, title_args, subtitle_args,
      body_args;
  std::optional<dom::element> badge, sound, thread_id, category, link, image;

  void read(const dom::object& object) {
    const std::array<std::pair<std::string_view, std::optional<dom::element>*>, 15> places{
        {{"title", &title},
         {"body", &body},
         {"sound", &sound},
         {"badge", &badge},
         {"link", &link},
         {"image", &image},
         {"category", &category},
         {"thread_id", &thread_id},
         {"subtitle", &subtitle},
         {"title_loc_key", &title_key},
         {"title_loc_args", &title_args},
         {"body_loc_key", &body_key},
         {"body_loc_args", &body_args},
         {"subtitle_loc_key", &subtitle_key},
         {"subtitle_loc_args", &subtitle_args}}};
    for (const auto& [key, value] : object)
      for (const auto& [name, place] : places)
        if (name == key) {
          *place = value;
          break;
        }
  }
};

class Writer {
 public:
  Writer(std::string& out, bool& plain) : members_(out), plain_(plain) {}
  void member(std::string_view name, const std::optional<dom::element>& value) {
    if (value) plain_ &= write_value(*value, members_.key(name));
  }
  // Text, or the key of a text inside the app.
  void text(const std::optional<dom::element>& text, const std::optional<dom::element>& key,
            const std::optional<dom::element>& args, std::string_view name, std::string_view key_name,
            std::string_view args_name) {
    if (!key) return member(name, text);
    member(key_name, key);
    member(args_name, args);
  }
  std::string& key(std::string_view name) { return members_.key(name); }
  void end() { members_.end(); }

 private:
  Members members_;
  bool& plain_;
};

void write_aps(const Config& config, const Notification& n, const godwit::Message& message, std::string& out,
               bool& plain) {
  if (message.is_silent()) {
    out += R"({"content-available":1})";
    return;
  }
  Writer aps(out, plain);
  const bool has_alert = n.title || n.title_key || n.subtitle || n.subtitle_key || n.body || n.body_key;
  plain &= has_alert || n.badge || n.sound;  // nothing to show: the tree tells what is missing
  if (has_alert) {
    aps.key("alert");
    Writer alert(out, plain);
    alert.text(n.title, n.title_key, n.title_args, "title", "title-loc-key", "title-loc-args");
    alert.text(n.subtitle, n.subtitle_key, n.subtitle_args, "subtitle", "subtitle-loc-key", "subtitle-loc-args");
    alert.text(n.body, n.body_key, n.body_args, "body", "loc-key", "loc-args");
    alert.end();
  }
  aps.member("badge", n.badge);
  aps.member("sound", n.sound);
  aps.member("thread-id", n.thread_id);
  aps.member("category", n.category);
  if (has_alert && (config.arrival_receipts || n.image)) aps.key("mutable-content") += '1';
  if (message.priority() == 3) aps.key("interruption-level") += R"("time-sensitive")";
  if (message.priority() == 0) aps.key("interruption-level") += R"("passive")";
  aps.end();
}

// The member as an object; nothing if it is absent or anything else, which counts as absent.
std::optional<dom::object> object_at(const dom::object& parent, std::string_view name, bool& plain) {
  dom::object found;
  if (parent.at_key(name).get(found) != simdjson::SUCCESS) return std::nullopt;
  plain &= !has_a_key_twice(found);
  return found;
}

}  // namespace

bool write_payload(const Config& config, const godwit::Message& message, std::string& out) {
  if (message.content_kind() != GW_CONTENT_NOTIFICATION || !message.vendor_options().empty()) return false;
  thread_local dom::parser parser;  // its memory is worth keeping; preview comes on other threads
  dom::object content;
  if (parser.parse(message.content().data(), message.content().size()).get(content) != simdjson::SUCCESS) return false;
  bool plain = !has_a_key_twice(content) && simdjson::validate_utf8(message.message_id());
  const std::optional<dom::object> notification = object_at(content, "notification", plain);
  const std::optional<dom::object> data = object_at(content, "data", plain);
  Notification n;
  if (notification) n.read(*notification);

  out.clear();
  out.reserve(message.content().size() + 192);
  Writer payload(out, plain);
  payload.key("aps");
  write_aps(config, n, message, out, plain);
  payload.member("link", n.link);
  payload.member("image", n.image);
  write_text(message.message_id(), payload.key("message_id"));
  if (data)
    for (const auto& [key, value] : *data)
      if (key != "aps" && key != "message_id" && !(key == "link" && n.link) && !(key == "image" && n.image))
        payload.member(key, value);
  payload.end();
  return plain;
}

}  // namespace apns
