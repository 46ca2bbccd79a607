#include "broker/observe/version.hpp"

namespace godwit {

std::string_view version() {
#ifdef NDEBUG
  return GODWIT_VERSION;
#else
  return GODWIT_VERSION " (debug)";
#endif
}

}  // namespace godwit
