// Group load: may this file be loaded into a broker at all?
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include <godwit/ext/recall.h>
#include <godwit/ext/webhook.h>
#include <godwit/table.hpp>
#include <godwit/text.hpp>

#include "sdk/check/elf.hpp"
#include "sdk/check/test.hpp"

namespace godwit::check {
namespace {

namespace fs = std::filesystem;

void now_symbols(Subject& s) {
  try {
    load_entry(s.path);
  } catch (const Ended&) {  // the entry is another test's
  } catch (const std::exception& e) {
    fail(e.what());
  }
}

void entry(Subject& s) {
  const gw_entry* raw = load_entry(s.path);
  require(raw->size >= 56, "gw_entry.size is " + std::to_string(raw->size) + ", the first version has 56 bytes");
  gw_entry e = import_table(raw);
  require(e.type_count >= 1 && e.types, "type_count is 0: a plugin carries at least one channel type");
  for (uint32_t i = 0; i < e.type_count; ++i) {
    require(e.types[i] && e.types[i]->size >= 152,
            "types[" + std::to_string(i) + "] is missing or shorter than 152 bytes");
    gw_channel_type t = import_table(e.types[i]);
    require(t.caps && t.caps->size >= 64, "caps are missing or shorter than 64 bytes");
    require(t.ops && t.ops->size >= 96, "ops are missing or too short for destroy");
  }
}

void abi_range(Subject& s) {
  gw_entry e = import_table(load_entry(s.path));
  require(e.abi_major == GW_ABI_MAJOR,
          "abi_major is " + std::to_string(e.abi_major) + ", but the symbol says " + std::to_string(GW_ABI_MAJOR));
  require(e.min_host_minor <= GW_ABI_MINOR, "it asks for a host of ABI " + std::to_string(GW_ABI_MAJOR) + "." +
                                                std::to_string(e.min_host_minor) + " or newer; this one speaks " +
                                                std::to_string(GW_ABI_MAJOR) + "." + std::to_string(GW_ABI_MINOR));
}

// flag <-> extension: both or none.
void agree(Subject& s, uint64_t flag, const char* flag_name, const char* extension) {
  bool flagged = s.caps().flags & flag;
  bool offered = s.ops().get_extension && s.ops().get_extension(str(extension));
  require(!flagged || offered,
          std::string("caps say ") + flag_name + ", but get_extension(\"" + extension + "\") is NULL");
  require(flagged || !offered, std::string("it offers ") + extension + ", but caps do not say " + flag_name);
}

void flags_match_functions(Subject& s) {
  const gw_caps& caps = s.caps();
  require(caps.max_batch > 0, "caps.max_batch is 0: nothing could ever be submitted");
  require(caps.max_window > 0, "caps.max_window is 0: nothing could ever be submitted");
  require(caps.max_targets >= 1, "caps.max_targets is 0");
  require(caps.max_targets == 1 || (caps.flags & GW_CAP_MULTICAST), "max_targets is above 1 without GW_CAP_MULTICAST");
  require(caps.priority_levels <= 1 || (caps.flags & GW_CAP_PRIORITY),
          "priority_levels is above 1 without GW_CAP_PRIORITY");
  require(!(caps.flags & GW_CAP_TTL) || caps.max_ttl_ms > 0, "GW_CAP_TTL with max_ttl_ms 0");
  require(!(caps.flags & GW_CAP_OFFLINE_HOLD) || caps.offline_hold_ms > 0,
          "GW_CAP_OFFLINE_HOLD with offline_hold_ms 0");
  agree(s, GW_CAP_WEBHOOK, "GW_CAP_WEBHOOK", GW_EXT_WEBHOOK);
  agree(s, GW_CAP_RECALL, "GW_CAP_RECALL", GW_EXT_RECALL);
  if (caps.flags & GW_CAP_WEBHOOK) {
    auto webhook = import_table(static_cast<const gw_webhook*>(s.ops().get_extension(str(GW_EXT_WEBHOOK))));
    require(webhook.parse && webhook.methods && webhook.max_body, "godwit.webhook/1 lacks parse, methods or max_body");
  }
}

ElfSymbols symbols_of(const Subject& s) {
  ElfSymbols symbols = read_elf(s.path);
  if (!symbols.error.empty()) warn("cannot be checked: " + symbols.error);
  return symbols;
}

void exports_only_entry(Subject& s) {
  ElfSymbols symbols = symbols_of(s);
  if (!symbols.unique.empty())
    fail("it has the unique symbol " + demangle(symbols.unique[0]) +
         ", which all plugins would share: compile with -fno-gnu-unique -fvisibility=hidden");
  static constexpr std::array kLinkers = {"_init", "_fini", "_edata", "_end", "__bss_start"};
  for (const std::string& name : symbols.exported)
    if (!name.starts_with("gw_entry_") && std::find(kLinkers.begin(), kLinkers.end(), name) == kLinkers.end())
      fail("it exports " + demangle(name) +
           ": build with godwit_add_plugin, or a version script { global: gw_entry_*; local: *; }");
}

void banned_imports(Subject& s) {
  struct Ban {
    const char* symbol;
    const char* why;
  };
  static constexpr Ban kBans[] = {
      {"curl_global_init", "the host initialises libcurl"},
      {"curl_global_cleanup", "the host initialises libcurl"},
      {"OPENSSL_cleanup", "it ends OpenSSL for everybody"},
      {"sqlite3_shutdown", "it ends SQLite for everybody"},
      {"sqlite3_config", "it changes SQLite for everybody"},
      {"setlocale", "it changes number formats for everybody"},
      {"signal", "signals belong to the host"},
      {"sigaction", "signals belong to the host"},
      {"atexit", "the host decides when things end"},
      {"chdir", "it moves everybody's relative paths"},
      {"umask", "it changes everybody's file modes"},
      {"setenv", "it races with every getenv"},
      {"putenv", "it races with every getenv"},
      {"unsetenv", "it races with every getenv"},
      {"fork", "a fork of a process with threads dies in odd ways"},
      {"vfork", "see fork"},
      {"system", "see fork"},
      {"popen", "see fork"},
      {"exit", "it ends the broker"},
      {"_exit", "it ends the broker"},
      {"quick_exit", "it ends the broker"},
      {"_ZSt13set_terminatePFvvE", "std::set_terminate is the host's"},
  };
  ElfSymbols symbols = symbols_of(s);
  for (const Ban& ban : kBans)
    if (symbols.imports(ban.symbol)) fail(std::string("it calls ") + demangle(ban.symbol) + ": " + ban.why);
  for (const std::string& library : symbols.needed)
    if (library.starts_with("libspdlog"))
      fail("it links " + library + ", whose registry the broker would share: log through the host");
}

void twice(Subject& s) {
  fs::path folder = fs::temp_directory_path() / ("godwit-plugin-check-" + std::to_string(getpid()));
  fs::create_directories(folder);
  struct Cleaner {
    fs::path folder;
    ~Cleaner() {
      std::error_code ignored;
      fs::remove_all(folder, ignored);
    }
  } cleaner{folder};
  Subject copies[2];
  for (int i = 0; i < 2; ++i) {
    copies[i].path = (folder / ("copy-" + std::to_string(i) + ".so")).string();
    copies[i].given_config = s.given_config;
    copies[i].secrets = s.secrets;
    copies[i].type_index = s.type_index;
    fs::copy_file(s.path, copies[i].path);
  }
  // As in a reload: the new copy is loaded and used while the old one still runs.
  auto old_instance = copies[0].instance();
  require(old_instance->create(copies[0].config()) == GW_OK, "create refused: " + old_instance->diag().text());
  try {
    auto new_instance = copies[1].instance();
    require(new_instance->create(copies[1].config()) == GW_OK, "create refused: " + new_instance->diag().text());
  } catch (const Ended& ended) {
    fail("a second copy beside the first cannot be used, so it cannot be reloaded: " + ended.verdict.text);
  }
  require(load_entry(copies[0].path) != load_entry(copies[1].path), "two copies share one gw_entry");
}

}  // namespace

void add_load_tests(Tests& tests) {
  tests.insert(tests.end(),
               {{"load-now-symbols", "Every symbol is there at load time.", now_symbols, 20, true},
                {"load-entry", "It exports " GW_ENTRY_SYMBOL_NAME ", whose structs are whole.", entry, 20, true},
                {"load-abi-range", "It is built for an ABI that this host speaks.", abi_range, 20, true},
                {"load-flags-match-functions", "What caps promise is there, and nothing else.", flags_match_functions},
                {"load-exports-only-entry", "It exports nothing but its entry.", exports_only_entry},
                {"load-banned-imports", "It calls nothing that belongs to the whole process.", banned_imports},
                {"load-twice", "Two copies live side by side, as in a reload.", twice}});
}

}  // namespace godwit::check
