#include "broker/channels/secret_store.hpp"

#include <spdlog/spdlog.h>

#include "broker/base/expand.hpp"

namespace godwit::channels {
namespace {

bool has_file(const std::string& text) {
  return text.find("${file:") != std::string::npos;
}

}  // namespace

std::vector<std::string> SecretStore::configure(const std::map<std::string, std::string>& secrets,
                                                std::vector<ConfigFault>& faults) {
  const size_t before = faults.size();
  std::map<std::string, Secret, std::less<>> fresh;
  for (const auto& [name, text] : secrets) {
    Result<std::string> bytes = expand_references(text);
    if (!bytes)
      faults.push_back({"/" + name, bytes.error().message});
    else if (bytes->empty())
      faults.push_back({"/" + name, "is empty after its references were resolved"});
    else
      fresh[name] = {text, {std::move(*bytes), 0}, false};
  }
  if (faults.size() > before) return {};

  std::vector<std::string> changed;
  std::lock_guard lock(mutex_);
  for (auto& [name, secret] : fresh) {
    const auto old = secrets_.find(name);
    if (old != secrets_.end() && old->second.value.bytes == secret.value.bytes) {
      secret.value.version = old->second.value.version;
    } else {
      secret.value.version = ++version_;
      changed.push_back(name);
    }
  }
  secrets_ = std::move(fresh);
  return changed;
}

std::vector<std::string> SecretStore::refresh() {
  std::vector<std::pair<std::string, std::string>> files;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, secret] : secrets_)
      if (has_file(secret.text)) files.emplace_back(name, secret.text);
  }
  std::vector<std::string> changed;
  for (const auto& [name, text] : files) {
    Result<std::string> bytes = expand_references(text);  // the disk, so without the lock
    std::lock_guard lock(mutex_);
    const auto found = secrets_.find(name);
    if (found == secrets_.end() || found->second.text != text) continue;
    Secret& secret = found->second;
    const bool bad = !bytes || bytes->empty();
    if (bad && !secret.unreadable)
      spdlog::warn("secret {}: keeping the last value: {}", name, bytes ? "the file is empty" : bytes.error().message);
    secret.unreadable = bad;
    if (bad || *bytes == secret.value.bytes) continue;
    secret.value = {std::move(*bytes), ++version_};
    changed.push_back(name);
  }
  return changed;
}

std::optional<SecretStore::Value> SecretStore::get(std::string_view name) const {
  std::lock_guard lock(mutex_);
  const auto found = secrets_.find(name);
  if (found == secrets_.end()) return std::nullopt;
  return found->second.value;
}

std::string SecretStore::redacted(std::string text) const {
  constexpr size_t kTellable = 6;
  std::lock_guard lock(mutex_);
  for (const auto& [name, secret] : secrets_) {
    const std::string& bytes = secret.value.bytes;
    if (bytes.size() < kTellable) continue;
    for (size_t at = text.find(bytes); at != std::string::npos; at = text.find(bytes, at + 3))
      text.replace(at, bytes.size(), "***");
  }
  return text;
}

bool SecretStore::has_files() const {
  std::lock_guard lock(mutex_);
  for (const auto& [name, secret] : secrets_)
    if (has_file(secret.text)) return true;
  return false;
}

}  // namespace godwit::channels
