// Built for an ABI of the future: its entry has another number.
#include "good.hpp"
extern "C" GW_EXPORT const gw_entry gw_entry_7;
constexpr gw_entry gw_entry_7 = bad::Edge<bad::Good>::entry;
