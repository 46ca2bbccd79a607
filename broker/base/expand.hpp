// ${env:NAME} and ${file:PATH} inside configuration values.
#pragma once

#include <string>
#include <string_view>

#include "broker/base/result.hpp"

namespace godwit {

// Replaces every reference; one line end at the end of a file's content is dropped, as editors add it. `$$` is a plain
// `$`. Errors: an unset variable, an unreadable file, an unknown kind, a missing brace; the text names it.
Result<std::string> expand_references(std::string_view text);

bool has_reference(std::string_view text);

}  // namespace godwit
