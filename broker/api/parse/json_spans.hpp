// JsonSpans finds where the members of an object stand in its text, so that a value can be passed on as the caller
// wrote it. It trusts the text to be valid JSON (a parser has seen it): on anything else it ends early, and never reads
// past the end.
#pragma once

#include <string>
#include <string_view>

namespace godwit {

class JsonSpans {
 public:
  explicit JsonSpans(std::string_view object);
  // The next member: `key` with its quotes, as written. False at the end.
  bool next(std::string_view& key, std::string_view& value);

 private:
  void skip_space();
  bool skip_string();
  bool skip_value();
  std::string_view text_;
  size_t at_ = 0;
};

// Appends `json` without the white space between its tokens. REQUIRES: valid JSON.
void append_minified(std::string& out, std::string_view json);

}  // namespace godwit
