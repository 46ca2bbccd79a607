#include "cli/context.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace godwit::cli {

void Context::print(const Table& table) const {
  std::fputs(table.text(color).c_str(), stdout);
}

void Context::print_json(const nlohmann::json& value) const {
  std::printf("%s\n", value.dump(color ? 2 : -1).c_str());
}

void Context::fail(const Error& error) {
  std::fprintf(stderr, "godwit: %s\n", error.message.c_str());
  exit_code = 1;
}

std::string member(const nlohmann::json& object, const char* name) {
  const auto it = object.is_object() ? object.find(name) : object.end();
  if (it == object.end() || it->is_null()) return {};
  return it->is_string() ? it->get<std::string>() : it->dump();
}

uint64_t count_of(const nlohmann::json& object, const char* name) {
  const auto it = object.is_object() ? object.find(name) : object.end();
  return it != object.end() && it->is_number_unsigned() ? it->get<uint64_t>() : 0;
}

}  // namespace godwit::cli
