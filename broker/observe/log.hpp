// Where log lines go and how they look. Modules write through spdlog's default logger; only the application calls this,
// once, before any other thread exists. Lines go to standard error: text for people, or one JSON object a line for
// programs.
#pragma once

#include <string_view>

namespace godwit {

// level: trace | debug | info | warn | error.  format: text | json.
void set_up_log(std::string_view level, std::string_view format);

}  // namespace godwit
