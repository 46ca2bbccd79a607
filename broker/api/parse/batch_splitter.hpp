// BatchSplitter cuts a batch that arrives in pieces into its messages: a line each, or the elements of one JSON array.
// It holds at most one message, and of one that is too long nothing but the fact.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace godwit {

class BatchSplitter {
 public:
  enum class Format : uint8_t { lines, array };
  // `text` lives for the call. Too long: `text` is empty.
  using Sink = std::function<void(std::string_view text, bool too_long)>;

  BatchSplitter(Format format, size_t max_item_bytes) : format_(format), max_(max_item_bytes) {}

  void feed(std::string_view bytes, const Sink& sink);
  // The body is complete.
  void end(const Sink& sink);

  // Of an array that is none: what is wrong. Nothing is cut after that.
  const std::string& broken() const { return broken_; }

 private:
  enum class State : uint8_t { before, element, after };

  void feed_lines(std::string_view bytes, const Sink& sink);
  void feed_array(std::string_view bytes, const Sink& sink);
  void keep(std::string_view bytes);
  void emit(std::string_view last, const Sink& sink);

  const Format format_;
  const size_t max_;
  std::string held_;  // the beginning of an item whose end has not come
  bool too_long_ = false;
  std::string broken_;

  // Of an array.
  State state_ = State::before;
  size_t depth_ = 0, elements_ = 0;
  bool in_string_ = false, escaped_ = false;
};

}  // namespace godwit
