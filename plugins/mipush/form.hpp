// application/x-www-form-urlencoded, both ways: what every call to Mi Push and every callback from it is made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mipush {

// Fields in the order in which they were put; a name stands once, the last value counts.
class Form {
 public:
  void put(std::string_view name, std::string value);
  void put(std::string_view name, uint64_t value) { put(name, std::to_string(value)); }
  const std::string* find(std::string_view name) const;
  std::string encoded() const;
  size_t bytes() const;  // of names and values as they are; encoding makes more of them
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// "a=b&c=d" with everything escaped that is not safe; joins to what stands in `out`.
void append_field(std::string& out, std::string_view name, std::string_view value);

// The first value of a field in an encoded form; nullopt when there is none. Broken escapes stay as they are.
std::optional<std::string> field_of(std::string_view encoded, std::string_view name);

}  // namespace mipush
