// Which Godwit this is: "0.1.0", or "0.1.0 (debug)" for a build with assertions.
#pragma once

#include <string_view>

namespace godwit {

std::string_view version();

}  // namespace godwit
