// Every parser of request bodies, by the first byte: whatever comes, no crash, and either a value or a fault that can
// be written as valid JSON.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "broker/api/parse/batch_splitter.hpp"
#include "broker/api/parse/json_spans.hpp"
#include "broker/api/parse/parse_device.hpp"
#include "broker/api/parse/parse_message.hpp"
#include "broker/api/parse/parse_receipts.hpp"
#include "broker/api/parse/query.hpp"
#include "broker/base/encoding.hpp"

namespace {

using namespace godwit;

void demand(bool holds) {
  if (!holds) std::abort();
}

void check_faults(bool has_value, const Faults& faults) {
  demand(has_value == faults.empty());
  std::string text;
  faults.append_to(text);
  demand(is_valid_utf8(text));
  demand(faults.list().size() <= Faults::kMost);
}

void message(std::string_view json) {
  Faults faults;
  const auto draft = parse_message(json, MessageRules{}, AppRules{}, 1'790'000'000'000, {}, faults);
  check_faults(draft.has_value(), faults);
  if (!draft) return;
  demand(draft->message.content.size() <= MessageRules{}.content_bytes);
  // What goes to the device is JSON still: it parses as the data of another message.
  Faults again;
  const std::string wrapped = R"({"to":{"user":"u"},"data":)" + draft->message.content + "}";
  MessageRules wide;
  wide.content_bytes = 1 << 20;
  wide.json_depth = 40;
  demand(parse_message(wrapped, wide, AppRules{}, 0, {}, again).has_value());
}

void device(std::string_view json) {
  Faults faults;
  check_faults(parse_device(json, 32, faults).has_value(), faults);
}

void patch(std::string_view json) {
  Faults faults;
  const auto edit = parse_device_patch(json, 32, faults);
  check_faults(edit.has_value(), faults);
  Device some;
  some.channels.push_back({"mipush", "t", true, 1});
  if (edit) (void)apply(*edit, some).ok();
}

void receipts(std::string_view json) {
  Faults faults;
  check_faults(parse_receipts(json, 32, "", 1'790'000'000'000, faults).has_value(), faults);
}

void channel_switch(std::string_view json) {
  Faults faults;
  check_faults(parse_channel_switch(json, 32, faults).has_value(), faults);
}

// However the bytes are cut, the same items come out.
void batch(std::string_view bytes) {
  if (bytes.size() < 2) return;
  const auto format = bytes[0] & 1 ? BatchSplitter::Format::array : BatchSplitter::Format::lines;
  const size_t piece = static_cast<unsigned char>(bytes[1]) + 1u;
  bytes.remove_prefix(2);
  const auto split = [&](size_t step) {
    BatchSplitter splitter(format, 64);
    std::string out;
    const auto sink = [&](std::string_view item, bool too_long) {
      demand(item.size() <= 64);
      out += std::to_string(item.size()) + (too_long ? "!" : ":") + std::string(item);
    };
    for (size_t at = 0; at < bytes.size(); at += step) splitter.feed(bytes.substr(at, step), sink);
    splitter.end(sink);
    return out + splitter.broken();
  };
  demand(split(piece) == split(bytes.size() + 1));
}

void query(std::string_view raw) {
  Faults faults;
  const Query parsed(raw, faults);
  parsed.integer("limit", 1, 1, 10, faults);
  parsed.duration_ms("window", 1, 1'000'000, faults);
}

void spans(std::string_view text) {
  JsonSpans walk(text);
  std::string_view key, value;
  while (walk.next(key, value)) demand(value.data() + value.size() <= text.data() + text.size());
  std::string out;
  append_minified(out, text);
  demand(out.size() <= text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'm':
      message(rest);
      break;
    case 'd':
      device(rest);
      break;
    case 'p':
      patch(rest);
      break;
    case 'r':
      receipts(rest);
      break;
    case 's':
      channel_switch(rest);
      break;
    case 'b':
      batch(rest);
      break;
    case 'q':
      query(rest);
      break;
    case 'j':
      spans(rest);
      break;
    default:
      message(rest);
  }
  return 0;
}
