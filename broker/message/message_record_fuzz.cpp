// Any bytes through every decoder of a message's records: nothing may crash, and what decodes must encode to something
// that decodes to the same bytes again.
#include <cstdlib>

#include "broker/message/records.hpp"

using namespace godwit;

namespace {

void check(bool ok) {
  if (!ok) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  std::string again, twice;
  if (const auto m = records::get_accept(body)) {
    check(records::get_accept_header(body).has_value());
    records::put_accept(again, *m);
    const auto back = records::get_accept(again);
    check(back.has_value());
    records::put_accept(twice, *back);
    check(again == twice);
  }
  again.clear();
  twice.clear();
  if (const auto o = records::get_outcome(body)) {
    records::put_outcome(again, o->id, o->progress);
    check(records::get_outcome(again).has_value());
  }
  if (const auto c = records::get_carry(body)) {
    again.clear();
    records::put_carry(again, *c);
    check(records::get_carry(again).has_value());
  }
  (void)records::get_id(body);
  (void)records::get_receipt(body);
  (void)records::get_intent(body);
  (void)records::get_cancel(body);
  (void)records::get_cursor(body);
  (void)records::get_checkpoint(body);
  return 0;
}
