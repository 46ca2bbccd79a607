#include "broker/net/curl_transfer.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace godwit::net {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRateGrace{2000};

long left_ms(SteadyTime now, SteadyTime until) {
  // Zero would mean "no limit" to curl.
  return std::max<long>(1, static_cast<long>(std::chrono::ceil<milliseconds>(until - now).count()));
}

void set_blob(CURL* easy, CURLoption option, const std::string& bytes) {
  curl_blob blob{const_cast<char*>(bytes.data()), bytes.size(), CURL_BLOB_COPY};
  curl_easy_setopt(easy, option, &blob);
}

}  // namespace

CurlTransfer::CurlTransfer(HttpRequest request, HttpDone done, SteadyTime sent_at, SteadyTime expires)
    : request_(std::move(request)), done_(std::move(done)), sent_at_(sent_at), expires_(expires) {}

CurlTransfer::~CurlTransfer() {
  curl_slist_free_all(headers_);
  curl_slist_free_all(connect_to_);
}

void CurlTransfer::prepare(CURL* easy, const HttpPoolOptions& options, const Origin& origin,
                           const TlsIdentity& identity, const std::string& proxy, SteadyTime now) {
  easy_ = easy;
  max_body_ = options.max_body_bytes;
  max_header_ = options.max_header_bytes;
  min_rate_ = options.min_bytes_per_s;

  curl_easy_reset(easy);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text_);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // When a name look-up takes longer than we wait, curl would block this thread, and so every vendor, until the
  // resolver gives up. With this it leaves the resolver's thread to end by itself.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_PROXY, proxy.c_str());  // empty: none, whatever the environment says
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, std::max<long>(1, options.idle_timeout_ms / 1000));

  Origin named = origin;
  if (!options.server_name.empty()) {
    named.host = options.server_name;
    const std::string route = "::" + origin.text().substr(origin.text().find("//") + 2);  // whatever the name: go there
    connect_to_ = curl_slist_append(nullptr, route.c_str());
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, connect_to_);
  }
  curl_easy_setopt(easy, CURLOPT_URL, (named.text() + request_.path).c_str());
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  if (!request_.body.empty() || request_.method == "POST" || request_.method == "PUT" || request_.method == "PATCH") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());  // borrowed: request_ lives longer
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  } else if (request_.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  }

  bool has_type = false;
  for (const auto& [name, value] : request_.headers) {
    has_type |= name == "content-type";
    headers_ = curl_slist_append(headers_, (value.empty() ? name + ";" : name + ": " + value).c_str());
  }
  headers_ = curl_slist_append(headers_, ("host: " + origin.authority()).c_str());
  headers_ =
      curl_slist_append(headers_, "Expect:");  // waiting for "100 Continue" costs a second at those who ignore it
  if (!has_type) headers_ = curl_slist_append(headers_, "Content-Type:");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);

  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  if (!identity.certificate_pem.empty()) {
    set_blob(easy, CURLOPT_SSLCERT_BLOB, identity.certificate_pem);
    set_blob(easy, CURLOPT_SSLKEY_BLOB, identity.key_pem.empty() ? identity.certificate_pem : identity.key_pem);
  }

  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout_ms));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, left_ms(now, expires_));
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &before_sending);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
}

// Of the request itself; curl counts what opened a proxy's tunnel too.
long CurlTransfer::bytes_out() const {
  long bytes = 0;
  if (easy_ && may_send_) curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &bytes);
  return bytes - tunnel_bytes_;
}

// Called before the first sending and before every one that curl would add on a fresh connection. Behind a proxy the
// second tunnel cannot be told from a part of the request: then it counts as one.
int CurlTransfer::before_sending(void* self, char*, char*, int, int) {
  auto* transfer = static_cast<CurlTransfer*>(self);
  if (!std::exchange(transfer->may_send_, true)) transfer->tunnel_bytes_ = transfer->bytes_out();
  if (transfer->bytes_out() == 0) return CURL_PREREQFUNC_OK;
  transfer->why_aborted_ = "the server closed the connection without an answer";
  return CURL_PREREQFUNC_ABORT;
}

size_t CurlTransfer::on_header(char* data, size_t size, size_t count, void* self) {
  return static_cast<CurlTransfer*>(self)->take_header({data, size * count});
}

size_t CurlTransfer::on_body(char* data, size_t size, size_t count, void* self) {
  return static_cast<CurlTransfer*>(self)->take_body({data, size * count});
}

size_t CurlTransfer::take_header(std::string_view line) {
  const size_t taken = line.size();
  header_bytes_ += taken;
  if (header_bytes_ > max_header_) {
    why_aborted_ = "the answer's header is longer than " + std::to_string(max_header_) + " bytes";
    return 0;
  }
  if (too_slow(taken)) return 0;
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {  // a new block: what came before was an interim answer
    response_.headers.clear();
    return taken;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return taken;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  response_.headers.emplace_back(std::move(name), std::string(value));
  return taken;
}

size_t CurlTransfer::take_body(std::string_view bytes) {
  if (response_.body.size() + bytes.size() > max_body_) {
    why_aborted_ = "the answer's body is longer than " + std::to_string(max_body_) + " bytes";
    return 0;
  }
  if (too_slow(bytes.size())) return 0;
  response_.body.append(bytes);
  return bytes.size();
}

bool CurlTransfer::too_slow(size_t more) {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (received_ == 0) first_byte_ = now;
  received_ += more;
  const auto took = now - first_byte_;
  if (min_rate_ == 0 || took < kRateGrace) return false;
  if (static_cast<double>(received_) >= min_rate_ * std::chrono::duration<double>(took).count()) return false;
  why_aborted_ = "the answer came slower than " + std::to_string(min_rate_) + " bytes per second";
  return true;
}

void CurlTransfer::finish(CURLcode result, SteadyTime now) {
  if (result == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    response_.delivery = Delivery::answered;
    response_.fault = HttpResponse::Fault::none;
    response_.status = static_cast<int>(status);
    stamp(now);
    return;
  }
  std::string error = !why_aborted_.empty() ? why_aborted_ : error_text_[0] ? error_text_ : curl_easy_strerror(result);
  const bool timed_out = result == CURLE_OPERATION_TIMEDOUT;
  fail(timed_out ? HttpResponse::Fault::timeout : HttpResponse::Fault::io, std::move(error), now);
}

void CurlTransfer::fail(HttpResponse::Fault fault, std::string error, SteadyTime now) {
  response_.delivery = bytes_out() > 0 ? Delivery::maybe_sent : Delivery::not_sent;
  response_.fault = fault;
  response_.status = 0;
  response_.headers.clear();
  response_.body.clear();
  response_.error = std::move(error);
  stamp(now);
}

void CurlTransfer::stamp(SteadyTime now) {
  response_.cookie = request_.cookie;
  response_.elapsed_ns = std::chrono::nanoseconds(now - sent_at_).count();
}

void CurlTransfer::deliver() {
  done_(std::move(response_));
}

}  // namespace godwit::net
