// nearest_name: "did you mean …?" for unknown keys, channels and commands.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace godwit {

// The known name with the smallest edit distance, when it is near enough to be a likely slip (a third of its length);
// else empty.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

// " (did you mean 'x'?)" or an empty text.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& known);

}  // namespace godwit
