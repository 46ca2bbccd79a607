#include "receipts.hpp"

#include <algorithm>
#include <charconv>

#include <godwit/json.hpp>

#include "form.hpp"

namespace mipush {
namespace {

using godwit::Json;

// Xiaomi batches for about a second; what is longer than this is no callback of theirs.
constexpr size_t kMostReceipts = 100'000;

int64_t number(const Json& object, const char* name) {
  const auto it = object.find(name);
  if (it == object.end()) return 0;
  if (it->is_number_integer()) return std::max<int64_t>(0, it->get<int64_t>());
  int64_t value = 0;
  if (it->is_string()) {
    const auto& text = it->get_ref<const std::string&>();
    std::from_chars(text.data(), text.data() + text.size(), value);
  }
  return std::max<int64_t>(0, value);
}

template <class F>
void each_target(std::string_view list, F visit) {
  for (size_t at = 0; at < list.size();) {
    const size_t end = std::min(list.find(',', at), list.size());
    if (end > at) visit(list.substr(at, end - at));
    at = end + 1;
  }
}

}  // namespace

// "Idempotent by message id, type and target."
std::string MiReceipt::event_id() const {
  return vendor_id + "/" + std::to_string(type) + "/" + target;
}

godwit::Result<std::vector<MiReceipt>> receipts_of(std::string_view form_body) {
  const auto field = field_of(form_body, "data");
  if (!field) return godwit::invalid("the callback has no field `data`");
  const Json data = Json::parse(*field, nullptr, false);
  if (!data.is_object()) return godwit::invalid("`data` of the callback is not a JSON object");
  std::vector<MiReceipt> receipts;
  for (const auto& member : data.items()) {
    const std::string& vendor_id = member.key();
    const Json& entry = member.value();
    if (!entry.is_object() || vendor_id.empty()) continue;
    MiReceipt base;
    base.vendor_id = vendor_id;
    base.message_id = godwit::text_of(entry, "param");
    base.type = static_cast<uint32_t>(number(entry, "type") & 0xffff);
    base.timestamp_ms = static_cast<uint64_t>(number(entry, "timestamp"));
    if (base.type == 0) continue;
    if (const auto extra = entry.find("extra"); extra != entry.end() && extra->is_object()) {
      base.quota = number(*extra, "quota");
      base.acked = number(*extra, "ack");
    }
    const auto replaced = entry.find("replaceTarget");
    const std::string targets = godwit::text_of(entry, "targets");
    each_target(targets, [&](std::string_view target) {
      if (receipts.size() >= kMostReceipts) return;
      MiReceipt& r = receipts.emplace_back(base);
      r.target = target;
      if (replaced != entry.end()) r.replaced_by = godwit::text_of(*replaced, r.target.c_str());
    });
    // A replacement is told also of regids that are not among the targets.
    if (replaced != entry.end() && replaced->is_object())
      for (const auto& [old_regid, regid] : replaced->items()) {
        const bool listed = std::any_of(receipts.begin(), receipts.end(), [&, old = &old_regid](const MiReceipt& r) {
          return r.vendor_id == vendor_id && r.target == *old;
        });
        if (listed || !regid.is_string() || old_regid.empty() || receipts.size() >= kMostReceipts) continue;
        MiReceipt& r = receipts.emplace_back(base);
        r.type = 0;
        r.target = old_regid;
        r.replaced_by = regid.get<std::string>();
      }
    if (targets.empty() && base.quota > 0) receipts.push_back(base);
  }
  return receipts;
}

}  // namespace mipush
