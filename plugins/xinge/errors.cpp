#include "errors.hpp"

#include <algorithm>
#include <span>

namespace xinge {
namespace {

// Codes from `first` to `last` mean the same.
struct Range {
  int64_t first, last;
  Verdict verdict;
};
using enum Verdict;

constexpr Range kV2[] = {
    {-106, -106, config},  // APNs certificate expired
    {-104, -104, retry_few},
    {-103, -103, config},  // sign
    {-102, -102, config},  // timestamp: the clock
    {-101, -101, fail},    // parameter
    {-5, -5, retry_few},
    {-3, -3, retry_few},
    {-2, -2, config},  // timestamp: the clock
    {-1, -1, fail},    // parameter
    {0, 0, accepted},
    {2, 2, fail},  // tag or token empty
    {5, 5, retry_few},
    {6, 6, fail},            // device registration
    {7, 7, fail},            // too many accounts or devices
    {48, 48, drop_account},  // the account has no token
    {73, 73, size},
    {75, 75, fail},      // not JSON
    {78, 78, fail},      // loop parameters
    {83, 83, fail},      // forbidden content
    {91, 92, config},    // too many tags
    {100, 100, config},  // APNs certificate wrong
};
constexpr Range kV3[] = {
    {0, 0, accepted},       {10001, 10001, retry},        {10100, 10101, retry},
    {10102, 10103, fail},   {10104, 10105, config},                                      // authentication, certificate
    {10106, 10107, fail},   {10108, 10109, retry},        {10110, 10110, drop},          // device not registered
    {10111, 10114, retry},  {10115, 10115, fail},         {10116, 10116, drop_account},  // account not bound
    {10117, 10117, size},   {10201, 10201, retry},        {10202, 10202, fail},
    {10203, 10204, retry},  {10205, 10205, fail},         {10206, 10207, retry},
    {10301, 10301, retry},  {10302, 10303, drop_account},  // part or all of the account list
    {10304, 10305, drop},                                  // part or all of the token list
    {10400, 10499, retry},  {10500, 10599, retry},        {10601, 10605, retry},
    {10606, 10606, config},  // app not registered
    {10700, 10799, retry},  {11000, 11099, retry},
};
constexpr Range kTpns[] = {
    {0, 0, accepted},
    {1008001, 1008002, fail},
    {1008003, 1008003, config},  // authentication: the clock, the secret
    {1008004, 1008004, retry},
    {1008006, 1008006, drop},
    {1008007, 1008007, fail},
    {1008011, 1008013, config},
    {1008015, 1008016, fail},
    {1008019, 1008019, fail},  // forbidden content
    {1008020, 1008023, config},
    {1008026, 1008027, look_inside},
    {1008028, 1008028, too_fast},
    {1008029, 1008029, drop},
    {1008030, 1008031, config},  // not paid, destroyed
    {1008035, 1008035, config},  // wrong AccessId or access point
    {1010001, 1010001, config},
    {10010005, 10010005, drop},
    {10010012, 10010012, fail},
    {10010018, 10010018, accepted},  // repeated push: it is out already
    {10030002, 10030002, config},
    {10110008, 10110008, drop},
};

template <size_t N>
constexpr bool grows(const Range (&table)[N]) {
  for (size_t i = 0; i < N; ++i)
    if (table[i].first > table[i].last || (i > 0 && table[i].first <= table[i - 1].last)) return false;
  return true;
}
static_assert(grows(kV2) && grows(kV3) && grows(kTpns));

}  // namespace

Verdict verdict_of(Api api, int64_t code) {
  const std::span<const Range> table = api == Api::v2   ? std::span<const Range>(kV2)
                                       : api == Api::v3 ? std::span<const Range>(kV3)
                                                        : std::span<const Range>(kTpns);
  const auto at =
      std::find_if(table.begin(), table.end(), [code](const Range& r) { return r.first <= code && code <= r.last; });
  return at == table.end() ? fail : at->verdict;
}

}  // namespace xinge
