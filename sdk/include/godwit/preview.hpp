// The vendor request as it would go out, for dry runs and golden tests (godwit.preview/1).
//
//   godwit::Result<void> preview(godwit::Message message, godwit::PreviewSink& sink) const;   // any thread
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include <godwit/ext/preview.h>
#include <godwit/report.hpp>
#include <godwit/services/http.hpp>

namespace godwit {
inline namespace sdk {

class PreviewSink {
 public:
  explicit PreviewSink(const gw_preview_sink* raw) : raw_(import_table(raw)) {}

  // Headers that carry secrets are given as "***". Serves targets [first_target, first_target + target_count).
  void request(std::string_view origin, const HttpRequest& r, uint32_t first_target = 0, uint32_t target_count = 1) {
    std::string url = std::string(origin) + r.path;
    std::vector<gw_str> headers;
    for (const auto& [name, value] : r.headers) headers.push_back(str(name)), headers.push_back(str(value));
    gw_preview_request out{};
    out.size = sizeof out;
    out.first_target = first_target;
    out.target_count = target_count;
    out.header_count = static_cast<uint32_t>(r.headers.size());
    out.method = str(r.method);
    out.url = str(url);
    out.headers = headers.data();
    out.body = str(r.body);
    raw_.request(raw_.ctx, &out);
  }
  Report report() const { return Report(raw_.diag); }

 private:
  gw_preview_sink raw_;
};

}  // namespace sdk
}  // namespace godwit
