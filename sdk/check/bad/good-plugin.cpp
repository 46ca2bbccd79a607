// Nothing is wrong with this one: all tests must pass, or the others prove nothing.
#include "good.hpp"
BAD_PLUGIN(bad::Good)
