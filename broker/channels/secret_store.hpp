// SecretStore holds the values of one instance's secrets by name, and notices when a file behind one changes.
//
// A secret is configured as a literal, ${env:NAME} or ${file:PATH} (or a mixture). Those with a file are read again by
// `refresh`, which some thread that may block calls every second. When a file cannot be read any more (it is just being
// replaced), the last value stays. Safe from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/channels/config_check.hpp"

namespace godwit::channels {

class SecretStore {
 public:
  struct Value {
    std::string bytes;
    uint64_t version = 0;  // grows with every change of any secret of the instance
  };

  // Replaces what is configured (name -> text) and reads everything. Nothing changes if one cannot be read; the faults
  // name it. Answers the names whose value changed.
  std::vector<std::string> configure(const std::map<std::string, std::string>& secrets,
                                     std::vector<ConfigFault>& faults);

  // Reads files again; answers the names whose value changed. Blocks on the disk.
  std::vector<std::string> refresh();

  std::optional<Value> get(std::string_view name) const;
  // `text` with "***" in the place of every secret that stands in it. Very short ones are left: they stand anywhere.
  std::string redacted(std::string text) const;
  bool has_files() const;

 private:
  struct Secret {
    std::string text;
    Value value;
    bool unreadable = false;  // said so once
  };
  mutable std::mutex mutex_;
  std::map<std::string, Secret, std::less<>> secrets_;  // guarded by mutex_
  uint64_t version_ = 0;                                // guarded by mutex_
};

}  // namespace godwit::channels
