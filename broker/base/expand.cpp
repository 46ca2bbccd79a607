#include "broker/base/expand.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

namespace godwit {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;

Result<std::string> look_up(std::string_view reference) {
  const size_t colon = reference.find(':');
  const std::string_view kind = reference.substr(0, colon);
  const std::string name(colon == std::string_view::npos ? std::string_view() : reference.substr(colon + 1));
  if (kind == "env") {
    const char* value = std::getenv(name.c_str());
    if (!value) return Error{Code::invalid, "the environment variable " + name + " is not set", name};
    return std::string(value);
  }
  if (kind == "file") {
    std::ifstream in(name, std::ios::binary);
    if (!in) return Error{Code::invalid, "cannot read the file " + name + ": " + std::strerror(errno), name};
    std::string content(kMaxFileBytes + 1, '\0');
    in.read(content.data(), static_cast<std::streamsize>(content.size()));
    content.resize(static_cast<size_t>(in.gcount()));
    if (content.size() > kMaxFileBytes) return Error{Code::invalid, "the file " + name + " is larger than 1 MiB", name};
    if (content.ends_with('\n')) content.pop_back();
    if (content.ends_with('\r')) content.pop_back();
    return content;
  }
  return Error{Code::invalid, "${" + std::string(reference) + "} is neither ${env:NAME} nor ${file:PATH}", {}};
}

}  // namespace

bool has_reference(std::string_view text) {
  return text.find("${") != std::string_view::npos;
}

Result<std::string> expand_references(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text.substr(at, 2) == "$$") {
      out.push_back('$');
      at += 2;
    } else if (text.substr(at, 2) == "${") {
      const size_t end = text.find('}', at);
      if (end == std::string_view::npos) return Error{Code::invalid, "'${' without its '}'", {}};
      Result<std::string> value = look_up(text.substr(at + 2, end - at - 2));
      if (!value) return value;
      out += *value;
      at = end + 1;
    } else {
      out.push_back(text[at++]);
    }
  }
  return out;
}

}  // namespace godwit
