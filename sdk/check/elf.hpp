// What a shared library says about itself in its dynamic symbol table, read from the file with suspicion (64-bit,
// little endian). Errors are texts: the file is the plugin author's.
#pragma once

#include <string>
#include <vector>

namespace godwit::check {

struct ElfSymbols {
  std::string error;  // empty = the lists are good
  std::vector<std::string> exported;
  std::vector<std::string> unique;  // STB_GNU_UNIQUE among the exported
  std::vector<std::string> imported;
  std::vector<std::string> needed;  // libraries

  bool imports(const std::string& name) const;
};

ElfSymbols read_elf(const std::string& path);
std::string demangle(const std::string& symbol);

}  // namespace godwit::check
