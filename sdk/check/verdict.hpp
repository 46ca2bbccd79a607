// What a test says about a plugin.
#pragma once

#include <string>
#include <utility>

namespace godwit::check {

enum class Kind { pass, warn, skip, fail, crash };

struct Verdict {
  Kind kind = Kind::pass;
  std::string text;  // why; empty for pass

  bool is_bad() const { return kind == Kind::fail || kind == Kind::crash; }
};

const char* to_string(Kind kind);

// Thrown by a test to end itself.
struct Ended {
  Verdict verdict;
};
[[noreturn]] inline void fail(std::string text) {
  throw Ended{{Kind::fail, std::move(text)}};
}
[[noreturn]] inline void skip(std::string why) {
  throw Ended{{Kind::skip, std::move(why)}};
}
[[noreturn]] inline void warn(std::string text) {
  throw Ended{{Kind::warn, std::move(text)}};
}
inline void require(bool holds, const std::string& otherwise) {
  if (!holds) fail(otherwise);
}

}  // namespace godwit::check
