// Fate: what became of a durable write. Ambiguity is a value here: `unknown` is never passed off as either answer.
#pragma once

#include <cstdint>

namespace godwit {

enum class Fate : uint8_t {
  ok,       // durable
  failed,   // surely not done (disk full, refused before anything was written); the store goes on working
  unknown,  // may or may not be durable; the store is poisoned and the process must restart to find out
  fenced,   // another owner has taken over; nothing was done and nothing may be done any more
};

}  // namespace godwit
