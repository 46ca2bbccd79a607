#include "broker/channels/loader.hpp"

#include <dlfcn.h>

#include <boost/dll/shared_library.hpp>

#include "broker/channels/abi_text.hpp"
#include "broker/channels/child_check.hpp"
#include "broker/channels/plugin_checks.hpp"
#include "broker/channels/plugin_file.hpp"

namespace godwit::channels {
namespace fs = std::filesystem;
namespace dll = boost::dll;
namespace {

constexpr std::chrono::seconds kCheckPatience{20};

// Boost.DLL has no such mode, but hands unknown bits on to dlopen: the library stays mapped whatever happens, because
// threads, callbacks and destructors of a plugin may outlive any moment at which it could safely go.
constexpr auto kMode = static_cast<dll::load_mode::type>(dll::load_mode::rtld_now | dll::load_mode::rtld_local |
                                                         static_cast<dll::load_mode::type>(RTLD_NODELETE));

// The linker's own words, without Boost's frame around them.
std::string linker_text(const std::exception& e) {
  std::string text = e.what();
  constexpr std::string_view kFrame = "boost::dll::shared_library::load() failed: ";
  if (const size_t at = text.find(kFrame); at != std::string::npos) text.erase(0, at + kFrame.size());
  return text;
}

std::string missing_symbol(const dll::shared_library& library) {
  for (int major = 0; major < 10; ++major)
    if (major != GW_ABI_MAJOR && library.has("gw_entry_" + std::to_string(major)))
      return "it was built for plugin ABI " + std::to_string(major) + ", this broker speaks " +
             std::to_string(GW_ABI_MAJOR) + "; rebuild it with this broker's SDK";
  return "it exports no " GW_ENTRY_SYMBOL_NAME ", so it is no plugin of this broker (GW_EXPORT_CHANNEL missing?)";
}

}  // namespace

Loader::Loader(Options options) : options_(std::move(options)) {
  if (options_.checker) return;
  std::error_code ignored;
  const fs::path beside = fs::read_symlink("/proc/self/exe", ignored).parent_path() / "godwit-plugin-check";
  options_.checker = fs::exists(beside, ignored) ? beside : fs::path();
}

Result<fs::path> Loader::find(std::string_view name) const {
  return find_plugin(
      name, options_.plugin_folders.empty() ? std::vector<fs::path>{default_plugin_folder()} : options_.plugin_folders);
}

Result<std::string> Loader::hash_of(std::string_view name) const {
  Result<fs::path> file = find(name);
  if (!file) return std::move(file).error();
  Result<PluginBytes> bytes = read_plugin(*file);
  if (!bytes) return std::move(bytes).error();
  return std::move(bytes->sha256_hex);
}

Result<std::shared_ptr<const Plugin>> Loader::load(std::string_view name) {
  step_ = "copy";
  Result<fs::path> file = find(name);
  if (!file) return std::move(file).error();
  return load_file(*file);
}

Result<std::shared_ptr<const Plugin>> Loader::load_file(const fs::path& file) {
  fs::path made;
  const auto refuse = [&](std::string_view why) {
    std::error_code ignored;
    if (!made.empty()) fs::remove(made, ignored);
    return Error{Code::invalid, file.string() + ": " + std::string(why), file.string()};
  };
  Result<PluginBytes> bytes = read_plugin(file);
  if (!bytes) return std::move(bytes).error();
  if (const auto known = by_hash_.find(bytes->sha256_hex); known != by_hash_.end()) return known->second;

  if (!folder_ready_) {
    if (Result<void> ready = prepare_run_folder(options_.run_folder); !ready) return std::move(ready).error();
    folder_ready_ = true;
  }
  Result<fs::path> copy = copy_plugin(*bytes, file.stem().string(), options_.run_folder, ++copies_);
  if (!copy) return std::move(copy).error();
  made = *copy;
  step_ = "check";
  // A complaint waits: if we find the same fault, our words for it are better.
  ChildVerdict verdict;
  if (!options_.checker->empty()) verdict = check_in_child(*options_.checker, *copy, kCheckPatience);
  if (verdict.kind == ChildVerdict::Kind::crashes || verdict.kind == ChildVerdict::Kind::not_run)
    return refuse(verdict.text);

  step_ = "load";
  auto plugin = std::make_shared<Plugin>();
  plugin->file = file;
  plugin->copy = *copy;
  plugin->sha256_hex = bytes->sha256_hex;
  try {
    auto library = std::make_shared<dll::shared_library>(*copy, kMode);
    if (!library->has(GW_ENTRY_SYMBOL_NAME)) return refuse(missing_symbol(*library));
    const gw_entry& entry = library->get<const gw_entry>(GW_ENTRY_SYMBOL_NAME);
    if (Result<void> fine = read_entry(entry, *plugin); !fine) return refuse(fine.error().message);
    if (verdict.kind == ChildVerdict::Kind::complains) {
      step_ = "check";
      return refuse(verdict.text);
    }
    if (GW_HAS(&entry, init) && entry.init) {
      Diagnosis said;
      const std::string path = copy->string();
      const int32_t status = guard([&] { return entry.init(to_gw(path), said.get()); }, &said);
      if (status != GW_OK) return refuse("its init failed with " + status_text(status) + " " + said.text());
    }
    plugin->library = std::move(library);
  } catch (const std::exception& e) {
    return refuse("cannot be loaded: " + linker_text(e));
  }
  by_hash_.emplace(plugin->sha256_hex, plugin);
  return std::shared_ptr<const Plugin>(std::move(plugin));
}

Result<const ChannelType*> pick_type(const Plugin& plugin, std::string_view name) {
  if (plugin.types.size() == 1) return &plugin.types.front();
  const std::string wanted = fs::path(name).stem().string();
  std::string known;
  for (const ChannelType& type : plugin.types) {
    if (type.id == wanted) return &type;
    known += (known.empty() ? "" : ", ") + type.id;
  }
  return Error{Code::not_found,
               plugin.file.string() + ": holds several channel types (" + known + "), none is '" + wanted + "'",
               plugin.file.string()};
}

}  // namespace godwit::channels
