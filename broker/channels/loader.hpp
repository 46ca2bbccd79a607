// Loader turns a plugin's name into a Plugin, or into one clear Error that names the file, the fault and the remedy.
//
// The order: find the file, read it once, check who owns it, copy it to the private run folder, let a child process try
// it first (if a checker is there), map the copy with everything bound now, find the entry symbol, read its tree, call
// init. The same bytes are loaded once, however many instances use them. Nothing is ever unloaded.
//
// Not thread-safe: one thread loads (main, or the one that reloads).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/result.hpp"
#include "broker/channels/plugin.hpp"

namespace godwit::channels {

class Loader {
 public:
  struct Options {
    std::filesystem::path run_folder;
    std::vector<std::filesystem::path> plugin_folders;  // empty: default_plugin_folder()
    // godwit-plugin-check, for a first load in a child. Absent: the one beside the program, if it is there. Empty:
    // none.
    std::optional<std::filesystem::path> checker;
  };
  explicit Loader(Options options);

  // `name`: short name or path. The plugin lives for ever.
  Result<std::shared_ptr<const Plugin>> load(std::string_view name);
  // The step that the last load() had begun when it ended: "copy", "check" or "load".
  const char* last_step() const { return step_; }
  // The SHA-256 of the file that `name` means now.
  Result<std::string> hash_of(std::string_view name) const;

 private:
  Result<std::filesystem::path> find(std::string_view name) const;
  Result<std::shared_ptr<const Plugin>> load_file(const std::filesystem::path& file);
  Options options_;
  bool folder_ready_ = false;
  unsigned copies_ = 0;
  const char* step_ = "copy";
  std::map<std::string, std::shared_ptr<const Plugin>> by_hash_;
};

// The type that `name` (short name or path) means: the only one, or the one whose id is the file's name.
Result<const ChannelType*> pick_type(const Plugin& plugin, std::string_view name);

}  // namespace godwit::channels
