#include "sdk/check/elf.hpp"

#include <cxxabi.h>
#include <elf.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

namespace godwit::check {
namespace {

// Copies a T out of the file; false if it would reach past the end.
template <class T>
bool read_at(const std::string& file, uint64_t offset, T& out) {
  if (offset > file.size() || file.size() - offset < sizeof(T)) return false;
  std::memcpy(&out, file.data() + offset, sizeof(T));
  return true;
}

std::string text_at(const std::string& file, const Elf64_Shdr& strings, uint64_t index) {
  if (index >= strings.sh_size || strings.sh_offset > file.size() || strings.sh_size > file.size() - strings.sh_offset)
    return {};
  const char* begin = file.data() + strings.sh_offset + index;
  return std::string(begin, strnlen(begin, strings.sh_size - index));
}

void add_symbol(const Elf64_Sym& symbol, std::string name, ElfSymbols& out) {
  if (name.empty()) return;
  unsigned char binding = ELF64_ST_BIND(symbol.st_info), visibility = ELF64_ST_VISIBILITY(symbol.st_other);
  if (symbol.st_shndx == SHN_UNDEF) {
    out.imported.push_back(std::move(name));
  } else if (binding != STB_LOCAL && (visibility == STV_DEFAULT || visibility == STV_PROTECTED)) {
    if (binding == STB_GNU_UNIQUE) out.unique.push_back(name);
    out.exported.push_back(std::move(name));
  }
}

}  // namespace

bool ElfSymbols::imports(const std::string& name) const {
  return std::find(imported.begin(), imported.end(), name) != imported.end();
}

ElfSymbols read_elf(const std::string& path) {
  ElfSymbols out;
  std::ifstream in(path, std::ios::binary);
  std::string file((std::istreambuf_iterator<char>(in)), {});
  Elf64_Ehdr header;
  if (!in || !read_at(file, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    out.error = "not a 64-bit little-endian ELF file";
    return out;
  }
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  for (size_t i = 0; i < sections.size(); ++i)
    if (!read_at(file, header.e_shoff + i * sizeof(Elf64_Shdr), sections[i])) {
      out.error = "its section headers reach past the end of the file";
      return out;
    }
  bool found = false;
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_link >= sections.size()) continue;
    const Elf64_Shdr& strings = sections[section.sh_link];
    if (section.sh_type == SHT_DYNSYM) {
      found = true;
      Elf64_Sym symbol;
      for (uint64_t at = 0; at + sizeof symbol <= section.sh_size && read_at(file, section.sh_offset + at, symbol);
           at += sizeof symbol)
        add_symbol(symbol, text_at(file, strings, symbol.st_name), out);
    } else if (section.sh_type == SHT_DYNAMIC) {
      Elf64_Dyn entry;
      for (uint64_t at = 0; at + sizeof entry <= section.sh_size && read_at(file, section.sh_offset + at, entry);
           at += sizeof entry)
        if (entry.d_tag == DT_NEEDED) out.needed.push_back(text_at(file, strings, entry.d_un.d_val));
    }
  }
  if (!found) out.error = "it has no dynamic symbol table that can be read (stripped of its section headers?)";
  return out;
}

std::string demangle(const std::string& symbol) {
  int status = 0;
  std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status),
                                              std::free);
  return status == 0 ? name.get() : symbol;
}

}  // namespace godwit::check
