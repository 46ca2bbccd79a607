#include "errors.hpp"

#include <algorithm>
#include <iterator>

namespace mipush {
namespace {

struct Entry {
  int64_t code;
  Verdict verdict;
  std::string_view meaning;
};

using enum Verdict;

constexpr Entry kTable[] = {
    {-1, retry, "unknown error"},
    {0, accepted, "accepted"},
    {1, retry, "internal error"},
    {10001, retry, "system error"},
    {10002, retry, "busy"},
    {10003, retry, "remote service"},
    {10008, fail, "bad parameter"},
    {10012, fail, "illegal request"},
    {10016, fail, "missing parameter"},
    {10017, fail, "invalid parameter"},
    {10027, too_fast, "API calls too frequent"},
    {10029, drop, "invalid device"},
    {10030, poller, "feedback pulled too often"},
    {10031, account, "the app is on the black list"},
    {10032, poller, "statistics pulled too often"},
    {10033, account, "operation forbidden"},
    {10034, day_quota, "too many messages today"},
    {10035, poller, "nothing left to pull"},
    {10036, account, "statistics forbidden"},
    {10037, retry_once, "the request expired; check the clock"},
    {10038, account, "operation forbidden"},
    {10039, poller, "pulled too often"},
    {10041, fail, "title or description breaks the content rules"},
    {20209, fail, "illegal topic"},
    {20215, retry_once, "subscribing failed"},
    {20216, retry_once, "unsubscribing failed"},
    {20301, retry, "sending failed"},
    {20315, fail, "the broadcast could not be deleted"},
    {20607, retry, "database"},
    {21301, account, "authentication failed: check app_secret"},
    {21302, account, "token authentication failed"},
    {21303, account, "restricted request"},
    {21305, fail, "missing parameter"},
    {22000, account, "illegal app"},
    {22006, account, "illegal app id"},
    {22007, account, "illegal app key"},
    {22022, account, "the package is not of this app: check package_name"},
    {22102, retry, "the notification could not be sent"},
    {26003, retry, "internal call"},
    {26004, too_often, "broadcasts too frequent"},
    {26005, too_often, "account or alias set too often"},
    {26006, review, "the message must be reviewed first"},
    {27001, config, "the message class is missing or not approved: check classes"},
    {65003, away, "device not found, usually offline"},
    {65006, too_often, "alias set too often"},
    {65007, drop_alias, "the alias is black-listed"},
    {65008, fail, "alias too long"},
    {65009, size, "content too long"},
    {65010, fail, "topic too long"},
    {65011, fail, "nothing given"},
    {65012, fail, "alias empty"},
    {65013, fail, "topic empty"},
    {65014, size, "too many extras"},
    {65015, size, "extras too long"},
    {65016, fail, "account too long"},
    {65017, fail, "account empty"},
    {65028, fail, "message id not found"},
    {65029, retry, "remote service"},
    {65030, retry, "JSON building"},
    {65035, fail, "too many topics"},
    {65036, config, "the callback parameter is too long"},
    {65037, config, "callback_url is too long"},
    {65038, config, "callback_url is illegal"},
    {66007, drop, "illegal regid"},
    {200001, class_quota, "over the day quota of the class"},
    {200002, too_fast, "over the calls per second"},
};
static_assert(std::is_sorted(std::begin(kTable), std::end(kTable),
                             [](const Entry& a, const Entry& b) { return a.code < b.code; }));

const Entry* find(int64_t code) {
  const auto* at = std::lower_bound(std::begin(kTable), std::end(kTable), code,
                                    [](const Entry& e, int64_t c) { return e.code < c; });
  return at != std::end(kTable) && at->code == code ? at : nullptr;
}

}  // namespace

Verdict verdict_of(int64_t code) {
  const Entry* entry = find(code);
  return entry ? entry->verdict : fail;
}

std::string_view meaning_of(int64_t code) {
  const Entry* entry = find(code);
  return entry ? entry->meaning : std::string_view();
}

}  // namespace mipush
