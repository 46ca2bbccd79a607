// Walks a configuration beside its JSON Schema: which part of the schema describes a member, and what of it we act on
// ourselves (unknown keys, defaults, secrets). Validation proper is valijson's.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace godwit::channels {

class SchemaWalk {
 public:
  using Json = nlohmann::json;
  explicit SchemaWalk(const Json& root) : root_(root) {}

  // The schema behind $ref (within the document only), or `schema` itself.
  const Json& resolve(const Json& schema) const;
  // The schema of member `key` of an object described by `schema`; looks into allOf, anyOf, oneOf too. Null: not
  // described.
  const Json* member(const Json& schema, const std::string& key) const;
  const Json* item(const Json& schema) const;
  // The schema at a JSON pointer's path; null where it leads out of what is described.
  const Json* at(const std::vector<std::string>& path, const Json& config) const;

  // An object that takes only the members it names. Then `known` has their names.
  bool is_closed(const Json& schema, std::vector<std::string>& known) const;

  // A $ref that leads back to itself: following it would never end.
  bool has_endless_reference() const { return has_endless_reference(root_); }

  // Sets members that are missing and have a default, deeply.
  void fill_defaults(const Json& schema, Json& config) const { fill_defaults(schema, config, 0); }

 private:
  const Json& resolve(const Json& schema, bool& endless) const;
  bool has_endless_reference(const Json& part) const;
  void fill_defaults(const Json& schema, Json& config, int depth) const;
  const Json* member(const Json& schema, const std::string& key, int depth) const;
  const Json& root_;
};

}  // namespace godwit::channels
