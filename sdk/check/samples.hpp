// Sample callbacks as files: "POST tail?query", header lines, an empty line, the body as it is. Lines may end in LF or
// CRLF.
#pragma once

#include <string>
#include <vector>

#include "sdk/check/subject.hpp"

namespace godwit::check {

// Every *.http of a folder, by name. Throws std::runtime_error that names the file and the fault.
std::vector<Sample> read_samples(const std::string& folder);

}  // namespace godwit::check
