#include "broker/api/parse/json_reader.hpp"

#include <cmath>
#include <memory>

#include "broker/api/parse/names.hpp"
#include "broker/base/encoding.hpp"

namespace godwit::json {
namespace {

std::string describe(simdjson::error_code error, unsigned depth) {
  switch (error) {
    case simdjson::EMPTY:
      return "the body is empty; a JSON value belongs here";
    case simdjson::UTF8_ERROR:
      return "the text is not valid UTF-8";
    case simdjson::DEPTH_ERROR:
      return "nested deeper than " + std::to_string(depth) + " levels";
    case simdjson::NUMBER_ERROR:
      return "a number is malformed or too large for 64 bits";
    case simdjson::STRING_ERROR:
      return "a string has a broken escape";
    case simdjson::UNCLOSED_STRING:
      return "a string does not end";
    case simdjson::UNESCAPED_CHARS:
      return "a string holds a control character that is not escaped";
    case simdjson::CAPACITY:
      return "the text is too large";
    default:
      return "the text is not JSON";
  }
}

std::string quoted(std::string_view text) {
  constexpr size_t kShown = 60;
  std::string out = "'";
  out += text.substr(0, kShown);
  if (text.size() > kShown) {
    // Not in the middle of a character.
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xc0) == 0x80) out.pop_back();
    if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xc0) out.pop_back();
    out += "…";
  }
  return out += '\'';
}

}  // namespace

std::optional<Value> parse(std::string_view text, unsigned depth, Faults& faults) {
  thread_local std::unique_ptr<simdjson::dom::parser> parser;
  thread_local unsigned parser_depth = 0;
  if (!parser || parser_depth != depth) {
    parser = std::make_unique<simdjson::dom::parser>();
    parser_depth = depth;
    if (parser->allocate(16 * 1024, depth) != simdjson::SUCCESS) {
      parser.reset();
      throw std::bad_alloc();
    }
  }
  if (text.empty()) text = "";  // the parser copies even nothing from somewhere
  Value out;
  const auto error = parser->parse(text.data(), text.size(), true).get(out);
  if (!error) return out;
  faults.set_malformed(describe(error, depth));
  return std::nullopt;
}

std::string_view type_name(Value value) {
  switch (value.type()) {
    case simdjson::dom::element_type::ARRAY:
      return "an array";
    case simdjson::dom::element_type::OBJECT:
      return "an object";
    case simdjson::dom::element_type::INT64:
    case simdjson::dom::element_type::UINT64:
    case simdjson::dom::element_type::DOUBLE:
      return "a number";
    case simdjson::dom::element_type::STRING:
      return "a string";
    case simdjson::dom::element_type::BOOL:
      return "true or false";
    case simdjson::dom::element_type::NULL_VALUE:
      return "null";
  }
  return "something else";
}

std::optional<Object> read_object(Value value, const Place& place, Faults& faults) {
  Object out;
  if (!value.get(out)) return out;
  wrong_type(value, place, "an object", faults);
  return std::nullopt;
}

std::optional<Array> read_array(Value value, const Place& place, size_t max, Faults& faults) {
  Array out;
  if (value.get(out)) {
    wrong_type(value, place, "an array", faults);
    return std::nullopt;
  }
  // size() is capped by the parser at 16 M, far above any limit of ours.
  if (out.size() > max) {
    faults.add(place, fault_codes::length,
               "has " + std::to_string(out.size()) + " items; at most " + std::to_string(max) + " are allowed");
    return std::nullopt;
  }
  return out;
}

bool read_text(Value value, const Place& place, TextRule rule, std::string& out, Faults& faults) {
  std::string_view text;
  if (value.get(text)) return wrong_type(value, place, "a string", faults);
  if (text.size() < rule.min) {
    faults.add(place, fault_codes::length, "must not be empty");
    return false;
  }
  if (text.size() > rule.max) {
    faults.add(
        place, fault_codes::length,
        "is " + std::to_string(text.size()) + " bytes long; at most " + std::to_string(rule.max) + " are allowed");
    return false;
  }
  if (!rule.allow_control && names::has_control(text)) {
    faults.add(place, fault_codes::format, "must not hold control characters");
    return false;
  }
  out.assign(text);
  return true;
}

bool read_name(Value value, const Place& place, bool (*is_valid)(std::string_view), std::string_view rule,
               std::string& out, Faults& faults) {
  std::string_view text;
  if (value.get(text)) return wrong_type(value, place, "a string", faults);
  if (!is_valid(text)) {
    faults.add(place, fault_codes::format, std::string(rule));
    return false;
  }
  out.assign(text);
  return true;
}

bool read_integer(Value value, const Place& place, int64_t min, int64_t max, int64_t& out, Faults& faults) {
  const auto out_of_range = [&] {
    faults.add(place, fault_codes::range, "must be from " + std::to_string(min) + " to " + std::to_string(max));
    return false;
  };
  int64_t number = 0;
  if (value.is_uint64() && !value.is_int64()) return out_of_range();
  if (value.get(number)) return wrong_type(value, place, "a whole number", faults);
  if (number < min || number > max) return out_of_range();
  out = number;
  return true;
}

bool read_number(Value value, const Place& place, double min, double max, double& out, Faults& faults) {
  double number = 0;
  if (value.get(number)) return wrong_type(value, place, "a number", faults);
  if (!(number >= min && number <= max)) {
    faults.add(place, fault_codes::range,
               "must be from " + std::to_string(static_cast<int64_t>(min)) + " to " +
                   std::to_string(static_cast<int64_t>(max)));
    return false;
  }
  out = number;
  return true;
}

bool read_bool(Value value, const Place& place, bool& out, Faults& faults) {
  bool truth = false;
  if (value.get(truth)) return wrong_type(value, place, "true or false", faults);
  out = truth;
  return true;
}

bool read_choice(Value value, const Place& place, std::span<const std::string_view> values, size_t& out,
                 Faults& faults) {
  std::string_view text;
  if (value.get(text)) return wrong_type(value, place, "a string", faults);
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] == text) {
      out = i;
      return true;
    }
  }
  std::string detail = "must be one of";
  for (size_t i = 0; i < values.size(); ++i) {
    detail += i ? ", " : " ";
    detail += values[i];
  }
  faults.add(place, fault_codes::one_of, detail + "; not " + quoted(text));
  return false;
}

bool read_time(Value value, const Place& place, int64_t& out_ms, Faults& faults) {
  std::string_view text;
  if (value.get(text)) return wrong_type(value, place, "a time such as 2026-11-21T08:00:00Z", faults);
  const auto time = from_rfc3339(text);
  if (!time) {
    faults.add(place, fault_codes::format, "must be a time with its offset, such as 2026-11-21T08:00:00Z");
    return false;
  }
  out_ms = *time;
  return true;
}

void unknown_member(const Place& place, std::string_view name, std::span<const std::string_view> known,
                    Faults& faults) {
  if (faults.full()) return;
  const std::vector<std::string> names(known.begin(), known.end());
  faults.add(place, fault_codes::unknown, "there is no such member" + did_you_mean(name, names));
}

}  // namespace godwit::json
