// What a caller is told when a write did not succeed.
#pragma once

#include "broker/base/result.hpp"
#include "broker/storage/fate.hpp"

namespace godwit::engine {

inline Error journal_error(Fate fate) {
  if (fate == Fate::failed)
    return {Code::no_space, "the journal could not be written; nothing changed. Free disk space", {}};
  return {Code::unavailable, "it is not known whether this was stored; ask again after the broker has restarted", {}};
}
inline Error journal_behind() {
  return {Code::overloaded, "the journal is behind; try again later", {}};
}

}  // namespace godwit::engine
