#include "broker/api/parse/batch_splitter.hpp"

namespace godwit {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
std::string_view without_leading_space(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

}  // namespace

void BatchSplitter::keep(std::string_view bytes) {
  if (held_.empty() && !too_long_) bytes = without_leading_space(bytes);
  if (held_.size() + bytes.size() > max_) {
    too_long_ = true;
    held_.clear();
  } else if (!too_long_) {
    held_.append(bytes);
  }
}

// Hands on what is held and `last` as one item.
void BatchSplitter::emit(std::string_view last, const Sink& sink) {
  if (held_.empty() && !too_long_) last = without_leading_space(last);
  if (!held_.empty() || too_long_ || last.size() > max_) {
    keep(last);
    sink(held_, too_long_);
  } else {
    sink(last, false);
  }
  held_.clear();
  too_long_ = false;
}

void BatchSplitter::feed(std::string_view bytes, const Sink& sink) {
  if (format_ == Format::lines)
    feed_lines(bytes, sink);
  else
    feed_array(bytes, sink);
}

void BatchSplitter::feed_lines(std::string_view bytes, const Sink& sink) {
  while (true) {
    const size_t eol = bytes.find('\n');
    if (eol == bytes.npos) return keep(bytes);
    const std::string_view line = bytes.substr(0, eol);
    const bool blank = held_.empty() && !too_long_ && without_leading_space(line).empty();
    if (!blank) emit(line, sink);
    bytes.remove_prefix(eol + 1);
  }
}

void BatchSplitter::feed_array(std::string_view bytes, const Sink& sink) {
  size_t from = 0;  // of the element in `bytes`
  for (size_t i = 0; i < bytes.size() && broken_.empty(); ++i) {
    const char c = bytes[i];
    if (state_ != State::element) {
      if (is_space(c)) continue;
      if (state_ == State::after) {
        broken_ = "something follows the array";
      } else if (c != '[') {
        broken_ = "the body must be a JSON array of messages, or one message a line as application/x-ndjson";
      } else {
        state_ = State::element;
        from = i + 1;
      }
    } else if (in_string_) {
      if (escaped_)
        escaped_ = false;
      else if (c == '\\')
        escaped_ = true;
      else if (c == '"')
        in_string_ = false;
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      ++depth_;
    } else if (depth_ > 0) {
      if (c == '}' || c == ']') --depth_;
    } else if (c == ',' || c == ']') {
      const std::string_view last = bytes.substr(from, i - from);
      const bool empty_array =
          c == ']' && elements_ == 0 && held_.empty() && !too_long_ && without_leading_space(last).empty();
      if (!empty_array) emit(last, sink);
      ++elements_;
      from = i + 1;
      if (c == ']') state_ = State::after;
    } else if (c == '}') {
      broken_ = "the array's brackets do not match";
    }
  }
  if (state_ == State::element && broken_.empty()) keep(bytes.substr(from));
}

void BatchSplitter::end(const Sink& sink) {
  if (format_ == Format::lines) {
    if (too_long_ || !held_.empty()) emit({}, sink);
  } else if (state_ != State::after && broken_.empty()) {
    broken_ = state_ == State::before ? "the body is empty; messages belong here" : "the array does not end";
  }
}

}  // namespace godwit
