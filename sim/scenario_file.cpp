#include "sim/scenario_file.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>

#include "sim/strict_json.hpp"

namespace godwit::sim {

namespace {

constexpr int kMaxDepth = 8;

nlohmann::json* step(nlohmann::json& at, const std::string& part) {
  if (at.is_array()) {
    for (nlohmann::json& item : at)
      if (item.is_object() && item.value("name", nlohmann::json()) == part) return &item;
    size_t index = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
    if (error == std::errc() && end == part.data() + part.size() && index < at.size()) return &at[index];
    return nullptr;
  }
  return at.is_object() ? &at[part] : nullptr;  // a new key of an object is made; a wrong one is found by the reader
}

nlohmann::json load(const std::string& path, int depth) {
  if (depth > kMaxDepth) throw BadInput(path + ": extends goes in a circle");
  nlohmann::json document = load_json(path);
  if (!document.is_object()) throw BadInput(path + ": an object is needed");
  if (document.contains("extends")) {
    if (!document["extends"].is_string()) throw BadInput(path + ": /extends must be a file name");
    const auto base = std::filesystem::path(path).parent_path() / document["extends"].get<std::string>();
    nlohmann::json merged = load(base.string(), depth + 1);
    for (const auto& [key, value] : document.items())
      if (key != "extends" && key != "patch") merged[key] = value;
    if (document.contains("patch")) merged["patch"] = document["patch"];
    document = std::move(merged);
  }
  if (document.contains("patch")) {
    const nlohmann::json patch = document["patch"];
    document.erase("patch");
    if (!patch.is_object()) throw BadInput(path + ": /patch must be an object of dotted paths");
    for (const auto& [dotted, value] : patch.items()) {
      try {
        apply_patch(document, dotted, value);
      } catch (const BadInput& e) {
        throw BadInput(path + ": " + e.what());
      }
    }
  }
  return document;
}

}  // namespace

std::ifstream open_input(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) throw BadInput(path + ": is a directory; name a file");
  std::ifstream in(path, std::ios::binary);
  if (!in) throw BadInput(path + ": cannot be read");
  return in;
}

nlohmann::json load_json(const std::string& path) {
  std::ifstream in = open_input(path);
  try {
    return nlohmann::json::parse(in);
  } catch (const nlohmann::json::exception& e) {
    throw BadInput(path + ": " + plain(e));
  }
}

void apply_patch(nlohmann::json& document, const std::string& dotted, const nlohmann::json& value) {
  nlohmann::json* at = &document;
  size_t from = 0;
  while (from <= dotted.size()) {
    const size_t dot = std::min(dotted.find('.', from), dotted.size());
    const std::string part = dotted.substr(from, dot - from);
    if (part.empty()) throw BadInput("/patch/" + dotted + ": a name is empty between the dots");
    at = step(*at, part);
    if (at == nullptr) throw BadInput("/patch/" + dotted + ": there is no \"" + part + "\" here");
    from = dot + 1;
  }
  *at = value;
}

nlohmann::json load_scenario_json(const std::string& path) {
  return load(path, 0);
}

}  // namespace godwit::sim
