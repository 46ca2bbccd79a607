#include "plugins/xmpp/xml/stream_parser.hpp"

#include <expat.h>

#include <new>

namespace xmpp {
namespace {

constexpr char kSeparator = '\n';  // between namespace and name, as expat gives them; XML allows it in neither

void split_name(std::string_view given, Element& out) {
  const size_t at = given.rfind(kSeparator);
  if (at != std::string_view::npos) out.ns = given.substr(0, at);
  out.name = at == std::string_view::npos ? given : given.substr(at + 1);
}

}  // namespace

struct StreamParser::Work {
  explicit Work(const ParserLimits& limits) : limits(limits), expat(XML_ParserCreateNS("UTF-8", kSeparator)) {
    if (!expat) throw std::bad_alloc();
    XML_SetUserData(expat, this);
    // Expat's guard against quadratic work on huge tokens would keep a stanza back until more bytes come, which on a
    // stream may be never. Our limits bound that work.
    XML_SetReparseDeferralEnabled(expat, XML_FALSE);
    XML_SetElementHandler(
        expat, [](void* self, const char* name, const char** attributes) { of(self).start(name, attributes); },
        [](void* self, const char*) { of(self).end(); });
    XML_SetCharacterDataHandler(expat, [](void* self, const char* text, int n) {
      of(self).characters({text, static_cast<size_t>(n)});
    });
    // RFC 6120 §11.1: none of these may occur in a stream.
    XML_SetDoctypeDeclHandler(
        expat, [](void* self, const char*, const char*, const char*, int) { of(self).stop("a DTD is not allowed"); },
        nullptr);
    XML_SetProcessingInstructionHandler(
        expat, [](void* self, const char*, const char*) { of(self).stop("a processing instruction is not allowed"); });
    XML_SetCommentHandler(expat, [](void* self, const char*) { of(self).stop("a comment is not allowed"); });
  }
  ~Work() { XML_ParserFree(expat); }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  static Work& of(void* self) { return *static_cast<Work*>(self); }

  void stop(const char* why) {
    if (fault.empty()) fault = why;
    XML_StopParser(expat, XML_FALSE);
  }
  size_t stanza_size() const {
    const auto at = XML_GetCurrentByteIndex(expat);
    return at < 0 || static_cast<size_t>(at) < boundary ? 0 : static_cast<size_t>(at) - boundary;
  }
  // Keeps the stanza's own name and attributes, so that it can be said what was dropped.
  void drop() {
    is_dropped = true;
    path.resize(path.empty() ? 0 : 1);
    if (!path.empty()) path.front()->children.clear(), path.front()->text.clear();
  }

  void start(const char* name, const char** attributes) {
    if (!fault.empty()) return;
    ++depth;
    if (is_dropped) return;
    if (depth == 2) {
      stanza = Element{};
      elements = 0;
      path.clear();
    }
    size_t count = 0;
    for (const char** a = attributes; *a; a += 2) ++count;
    const bool is_too_much = depth > limits.depth + 1 || count > limits.attributes || ++elements > limits.elements ||
                             stanza_size() > limits.stanza_bytes;
    Element made;
    split_name(name, made);
    if (!is_too_much || depth <= 2)
      for (const char** a = attributes; *a && made.attributes.size() < limits.attributes; a += 2)
        made.attributes.emplace_back(a[0], a[1]);
    if (depth == 1) {
      if (is_too_much) return stop("the stream's header is too large");
      boundary = 0;
      return out->push_back({StreamEvent::Kind::open, std::move(made)});
    }
    if (depth == 2) {
      stanza = std::move(made);
      path.push_back(&stanza);
    } else if (!is_too_much) {
      // A parent gets no further child while one of its children is open, so the pointers stay valid.
      path.back()->children.push_back(std::move(made));
      path.push_back(&path.back()->children.back());
    }
    if (is_too_much) drop();
  }

  void end() {
    if (!fault.empty()) return;
    --depth;
    if (depth == 0) return out->push_back({StreamEvent::Kind::close, {}});
    if (depth > 1) {
      if (!is_dropped) path.pop_back();
      return;
    }
    out->push_back({is_dropped ? StreamEvent::Kind::dropped : StreamEvent::Kind::stanza, std::move(stanza)});
    is_dropped = false;
    path.clear();
    mark_boundary();
  }

  void characters(std::string_view text) {
    if (!fault.empty()) return;
    if (depth <= 1) return mark_boundary();  // white space between stanzas keeps the link alive
    if (is_dropped) return;
    if (stanza_size() + text.size() > limits.stanza_bytes) return drop();
    path.back()->text.append(text);
  }

  void mark_boundary() {
    const auto at = XML_GetCurrentByteIndex(expat);
    if (at > 0) boundary = static_cast<size_t>(at);
  }

  const ParserLimits& limits;
  XML_Parser expat;
  std::vector<StreamEvent>* out = nullptr;
  std::string fault;
  size_t depth = 0, elements = 0;
  size_t fed = 0, boundary = 0;  // bytes of the document; where the last stanza ended
  bool is_dropped = false;
  Element stanza;
  std::vector<Element*> path;  // open elements, from the stanza inwards
};

StreamParser::StreamParser(ParserLimits limits) : limits_(limits), work_(std::make_unique<Work>(limits_)) {}
StreamParser::~StreamParser() = default;

void StreamParser::restart() {
  work_ = std::make_unique<Work>(limits_);
  fault_.clear();
}

bool StreamParser::feed(std::string_view bytes, std::vector<StreamEvent>& out) {
  constexpr size_t kPiece = 64 * 1024;  // expat counts in int
  if (!fault_.empty()) return false;
  Work& w = *work_;
  w.out = &out;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kPiece);
    bytes.remove_prefix(piece.size());
    w.fed += piece.size();
    if (XML_Parse(w.expat, piece.data(), static_cast<int>(piece.size()), 0) != XML_STATUS_OK) {
      fault_ =
          !w.fault.empty() ? w.fault : std::string("not well-formed: ") + XML_ErrorString(XML_GetErrorCode(w.expat));
      return false;
    }
    if (w.fed - w.boundary > limits_.broken_bytes) {
      fault_ = "a stanza without end";
      return false;
    }
  }
  return true;
}

}  // namespace xmpp
