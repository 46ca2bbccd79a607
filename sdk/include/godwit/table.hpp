// import_table copies a sized struct of the other side into an own, full-size, zeroed one.
//
// Both sides of the ABI do this with every table of functions they are given: an older writer's struct is shorter (what
// it lacks becomes NULL), a newer writer's is longer (what we do not know is left out). Copying sizeof(own struct)
// instead reads past the end of the older one. Usable from any thread; never fails.
#pragma once

#include <cstring>
#include <type_traits>

#include <godwit/abi.h>

namespace godwit {

template <class Table>
Table import_table(const Table* theirs) {
  static_assert(std::is_trivially_copyable_v<Table> && offsetof(Table, size) == 0);
  Table ours;
  std::memset(&ours, 0, sizeof ours);
  if (theirs) {
    std::memcpy(&ours, theirs, theirs->size < sizeof ours ? theirs->size : sizeof ours);
    ours.size = sizeof ours;
  }
  return ours;
}

}  // namespace godwit
