#include "sim/strict_json.hpp"

#include <cmath>
#include <sstream>

namespace godwit::sim {

std::string plain(const nlohmann::json::exception& fault) {
  const std::string what = fault.what();
  const size_t end = what.find("] ");
  return end == std::string::npos ? what : what.substr(end + 2);
}

Fields::Fields(const nlohmann::json& object, std::string where) : object_(object), where_(std::move(where)) {
  if (!object.is_object()) throw BadInput((where_.empty() ? "/" : where_) + ": an object is needed here");
}

void Fields::fail(const std::string& key, const std::string& what) const {
  const std::string place = where_ + (key.empty() ? "" : "/" + key);
  throw BadInput(place.empty() ? what : place + ": " + what);
}

void Fields::finish() const {
  for (const auto& [key, value] : object_.items())
    if (!asked_.contains(key)) fail(key, "unknown key; remove it or correct its spelling");
}

const nlohmann::json& Fields::get(const std::string& key) {
  asked_.insert(key);
  const auto found = object_.find(key);
  if (found == object_.end()) fail(key, "is missing");
  return *found;
}

const nlohmann::json& Fields::raw(const std::string& key) {
  return get(key);
}

double Fields::checked(const std::string& key, const nlohmann::json& value, double low, double high) const {
  if (!value.is_number()) fail(key, "must be a number");
  const double v = value.get<double>();
  if (!(v >= low && v <= high)) {
    std::ostringstream what;
    what << "is " << v << ", must be between " << low << " and " << high;
    fail(key, what.str());
  }
  return v;
}

double Fields::number(const std::string& key, double low, double high) {
  return checked(key, get(key), low, high);
}

double Fields::number(const std::string& key, double low, double high, double otherwise) {
  asked_.insert(key);
  return has(key) ? checked(key, object_.at(key), low, high) : otherwise;
}

uint64_t Fields::whole(const std::string& key, double low, double high) {
  const double v = number(key, low, high);
  if (v != std::floor(v)) fail(key, "must be a whole number");
  return static_cast<uint64_t>(v);
}

uint64_t Fields::whole(const std::string& key, double low, double high, uint64_t otherwise) {
  asked_.insert(key);
  return has(key) ? whole(key, low, high) : otherwise;
}

std::string Fields::text(const std::string& key) {
  const nlohmann::json& value = get(key);
  if (!value.is_string()) fail(key, "must be a string");
  return value.get<std::string>();
}

std::string Fields::text(const std::string& key, const std::string& otherwise) {
  asked_.insert(key);
  return has(key) ? text(key) : otherwise;
}

bool Fields::flag(const std::string& key, bool otherwise) {
  asked_.insert(key);
  if (!has(key)) return otherwise;
  if (!object_.at(key).is_boolean()) fail(key, "must be true or false");
  return object_.at(key).get<bool>();
}

std::vector<std::string> Fields::texts(const std::string& key) {
  asked_.insert(key);
  std::vector<std::string> out;
  if (!has(key)) return out;
  if (!object_.at(key).is_array()) fail(key, "must be a list of strings");
  for (const nlohmann::json& item : object_.at(key)) {
    if (!item.is_string()) fail(key, "must be a list of strings");
    out.push_back(item.get<std::string>());
  }
  return out;
}

Fields Fields::object(const std::string& key) {
  return Fields(get(key), where_ + "/" + key);
}

std::vector<Fields> Fields::objects(const std::string& key) {
  asked_.insert(key);
  std::vector<Fields> out;
  if (!has(key)) return out;
  if (!object_.at(key).is_array()) fail(key, "must be a list of objects");
  size_t i = 0;
  for (const nlohmann::json& item : object_.at(key))
    out.emplace_back(item, where_ + "/" + key + "/" + std::to_string(i++));
  return out;
}

std::map<std::string, double> Fields::by_name(const std::string& key, double low, double high, double otherwise) {
  asked_.insert(key);
  std::map<std::string, double> out{{"*", otherwise}};
  if (!has(key)) return out;
  const nlohmann::json& value = object_.at(key);
  if (value.is_number()) {
    out["*"] = checked(key, value, low, high);
  } else if (value.is_object()) {
    out["*"] = 0;  // names that are given leave nothing to the others
    for (const auto& [name, v] : value.items()) out[name] = checked(key + "/" + name, v, low, high);
  } else {
    fail(key, "must be a number or an object of numbers by name");
  }
  return out;
}

}  // namespace godwit::sim
