// SeenEvents: which events of vendors have come before, by the id that the vendor gave them. A vendor that missed our
// answer to its callback calls again, and nothing of what it tells may count twice.
//
// Ids are kept as hashes in two generations: those of the last full generation at least are known, twice as many at
// most. Of older ones a repeat is not recognised here; receipts count once for each delivery all the same. Engine's
// thread only.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <string_view>

#include "broker/channels/port.hpp"

namespace godwit::engine {

class SeenEvents {
 public:
  static constexpr size_t kGeneration = 200'000;
  explicit SeenEvents(size_t generation = kGeneration) : generation_(generation) {}

  // False: it came before. Two channels may use the same ids.
  bool is_new(ChannelNo channel, std::string_view event_id);

 private:
  const size_t generation_;
  std::array<boost::unordered_flat_set<uint64_t>, 2> ids_;  // the newer generation first
};

}  // namespace godwit::engine
