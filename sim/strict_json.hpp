// Fields: reads one JSON object and insists on it: a missing key, a wrong type, a value out of range and a key that
// nobody asked for are all errors that name the place ("/channels/2/receipt/mode: ...").
//
// Errors are BadInput exceptions, caught in main: a simulator run that starts with a wrong file has nothing to clean
// up.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace godwit::sim {

struct BadInput : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What the parser says, without its own name and number in front.
std::string plain(const nlohmann::json::exception& fault);

class Fields {
 public:
  Fields(const nlohmann::json& object, std::string where);

  // The destructor cannot throw, so the reader of an object says when it is done with it.
  void finish() const;

  bool has(const std::string& key) const { return object_.contains(key); }
  double number(const std::string& key, double low, double high);
  double number(const std::string& key, double low, double high, double otherwise);
  uint64_t whole(const std::string& key, double low, double high);
  uint64_t whole(const std::string& key, double low, double high, uint64_t otherwise);
  std::string text(const std::string& key);
  std::string text(const std::string& key, const std::string& otherwise);
  bool flag(const std::string& key, bool otherwise);
  std::vector<std::string> texts(const std::string& key);  // absent: empty
  const nlohmann::json& raw(const std::string& key);       // must be there
  Fields object(const std::string& key);                   // must be there
  std::vector<Fields> objects(const std::string& key);     // absent: empty
  // {"xiaomi": 2.5, "*": 0.3}, or a bare number for "*". An object without "*" means 0 for all others; `otherwise` is
  // for a member that is absent.
  std::map<std::string, double> by_name(const std::string& key, double low, double high, double otherwise);

  [[noreturn]] void fail(const std::string& key, const std::string& what) const;
  const std::string& where() const { return where_; }

 private:
  const nlohmann::json& get(const std::string& key);
  double checked(const std::string& key, const nlohmann::json& value, double low, double high) const;

  const nlohmann::json& object_;  // borrowed from the parsed document, which outlives every reader
  std::string where_;
  std::set<std::string> asked_;
};

}  // namespace godwit::sim
