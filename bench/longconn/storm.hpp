// storm: all devices lose their connection at once and come back as fast as they can, while messages go on being
// accepted for them. The promise (T9 of the reliability page): all are back, nothing is lost, accepting stays quick.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "bench/longconn/target.hpp"

namespace godwit::bench {

// The whole broker as target. Stops the program when a device or a message is lost.
nlohmann::json storm(Target& target, size_t connections);

}  // namespace godwit::bench
