#include "sdk/check/samples.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace godwit::check {
namespace {

namespace fs = std::filesystem;

// Takes one line off the front of `text`.
std::string take_line(std::string_view& text) {
  size_t end = text.find('\n');
  std::string line(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

Sample read_sample(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string file((std::istreambuf_iterator<char>(in)), {});
  std::string_view text = file;
  Sample sample;
  sample.name = path.filename().string();
  std::string first = take_line(text);
  size_t space = first.find(' ');
  if (!in || space == std::string::npos)
    throw std::runtime_error(path.string() + ": the first line must be a method and a path: \"POST receipts?a=b\"");
  sample.method = first.substr(0, space);
  std::string target = first.substr(space + 1);
  size_t question = target.find('?');
  sample.tail = target.substr(0, question);
  if (question != std::string::npos) sample.query = target.substr(question + 1);
  for (std::string line = take_line(text); !line.empty(); line = take_line(text)) {
    size_t colon = line.find(':');
    if (colon == std::string::npos) throw std::runtime_error(path.string() + ": not a header line: " + line);
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    size_t value = line.find_first_not_of(' ', colon + 1);
    sample.headers.emplace_back(name, value == std::string::npos ? "" : line.substr(value));
  }
  sample.body = text;
  if (sample.body.ends_with('\n')) sample.body.pop_back();  // of the editor
  return sample;
}

}  // namespace

std::vector<Sample> read_samples(const std::string& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".http") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Sample> samples;
  for (const fs::path& path : paths) samples.push_back(read_sample(path));
  return samples;
}

}  // namespace godwit::check
