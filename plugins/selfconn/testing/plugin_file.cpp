#include "plugins/selfconn/testing/plugin_file.hpp"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace selfconn::testing {

const gw_channel_type* load_selfconn() {
  static const gw_channel_type* const type = [] {
    void* library = ::dlopen(SELFCONN_SO, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const auto* entry = library ? static_cast<const gw_entry*>(::dlsym(library, GW_ENTRY_SYMBOL_NAME)) : nullptr;
    if (!entry) {
      std::fprintf(stderr, "cannot load %s: %s\n", SELFCONN_SO, ::dlerror());
      std::abort();
    }
    return entry->types[0];
  }();
  return type;
}

}  // namespace selfconn::testing
