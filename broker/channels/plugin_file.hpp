// PluginFile finds a plugin's file, checks who could have written it, and makes the private copy that is really loaded.
//
// A copy, because the linker would give the old code when a file is replaced under the same path, and because
// truncating a mapped file kills the process. The copy's folder belongs to us alone. Not thread-safe; used while
// loading only.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/result.hpp"

namespace godwit::channels {

// A name with a '/' or ending in .so is a path; anything else is looked up as <name>.so in `folders`, in order.
Result<std::filesystem::path> find_plugin(std::string_view name, const std::vector<std::filesystem::path>& folders);

// <folder of the running program>/../lib/godwit
std::filesystem::path default_plugin_folder();

struct PluginBytes {
  std::string bytes;
  std::string sha256_hex;
};
// Refuses what others than root and our own user could have written, and what is no regular file of sane size.
Result<PluginBytes> read_plugin(const std::filesystem::path& file);

// Makes `folder` (mode 0700) and empties it of what an earlier run left. Refuses one from which nothing may be
// executed.
Result<void> prepare_run_folder(const std::filesystem::path& folder);

// Writes <stem>-<first 8 of hash>-<n>.so and reads it back to be sure.
Result<std::filesystem::path> copy_plugin(const PluginBytes& plugin, std::string_view stem,
                                          const std::filesystem::path& folder, unsigned n);

}  // namespace godwit::channels
