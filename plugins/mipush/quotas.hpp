// Quotas remembers what is left of today for each message class, so that a class that is used up costs no further
// calls, and the operator hears of it in time. Time is a parameter. One owner (the lane).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "answer.hpp"

namespace mipush {

class Quotas {
 public:
  // What an answer said of a class. Gives the QUOTA event's payload when it is time for one: at the first word of the
  // day, at each tenth that is used up, and at the end.
  std::optional<std::string> heard(const std::string& channel_id, const DayQuota& quota, uint64_t wall_ms);

  // Until midnight nothing more goes out in this class. Gives the QUOTA event's payload, once a day.
  std::optional<std::string> used_up(const std::string& channel_id, std::optional<DayQuota> quota, uint64_t wall_ms);

  bool is_used_up(const std::string& channel_id, uint64_t wall_ms) const;

 private:
  struct Day {
    uint64_t day = 0;
    int64_t quota = 0;
    int told_tenth = -1;
    bool used_up = false;
  };
  Day& today(const std::string& channel_id, uint64_t wall_ms);

  std::map<std::string, Day> classes_;  // by channel_id; "" where no class is configured
};

}  // namespace mipush
