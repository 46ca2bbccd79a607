// Opens a scenario or a tape, whichever a file is.
#pragma once

#include <optional>
#include <string>

#include "sim/study.hpp"

namespace godwit::sim {

struct Opened {
  SourceOf source_of;
  uint64_t seed = 1;
  bool takes_seeds = true;  // a tape has only the one fate
};

// By its first line. A tape's is a whole JSON object: a header of any version, or, where that was lost, the first
// event. A scenario may be laid out in any way. Throws BadInput when the file cannot be read.
bool is_tape(const std::string& path);

// Throws BadInput. The file is read completely once before this returns, so that a fault is told before any work.
Opened open_source(const std::string& path);

void write_tape(const std::string& scenario, std::optional<uint64_t> seed, const std::string& out);

}  // namespace godwit::sim
