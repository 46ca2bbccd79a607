// Exports a helper: the next plugin with a function of that name might get this one. (Linked without the version
// script.)
#include "good.hpp"
extern "C" GW_EXPORT int helper_for_everybody() {
  return 1;
}
BAD_PLUGIN(bad::Good)
