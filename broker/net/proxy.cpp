#include "broker/net/proxy.hpp"

#include <curl/curl.h>
#include <openssl/evp.h>

#include <memory>
#include <optional>

#include "broker/net/origin.hpp"

namespace godwit::net {
namespace {

Error bad(std::string why) {
  return {Code::invalid, std::move(why) + "; expected http://[user:password@]host:port", "proxy"};
}

std::string base64(const std::string& text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  out.resize(static_cast<size_t>(length));
  return out;
}

class Parts {
 public:
  explicit Parts(const std::string& text) : url_(curl_url(), &curl_url_cleanup) {
    is_url_ = curl_url_set(url_.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
  }
  bool is_url() const { return is_url_; }
  // Empty if there is none; nothing if it holds what cannot be sent.
  std::optional<std::string> get(CURLUPart part, CURLUcode none, unsigned flags = 0) const {
    char* value = nullptr;
    const CURLUcode code = curl_url_get(url_.get(), part, &value, flags);
    if (code == none) return std::string();
    if (code != CURLUE_OK) return std::nullopt;
    std::string out = value;
    curl_free(value);
    return out;
  }

 private:
  std::unique_ptr<CURLU, void (*)(CURLU*)> url_;
  bool is_url_;
};

}  // namespace

Result<Proxy> Proxy::parse(const std::string& text) {
  const Parts parts(text);
  if (!parts.is_url()) return bad("is no URL (in user and password '@' is %40, ':' %3A, '/' %2F, '%' %25)");
  const auto scheme = parts.get(CURLUPART_SCHEME, CURLUE_NO_SCHEME);
  if (scheme == "https") return Error{Code::unsupported, "a proxy is reached by http://, not https://", "proxy"};
  if (scheme != "http") return bad("has another scheme than http://");
  const auto user = parts.get(CURLUPART_USER, CURLUE_NO_USER, CURLU_URLDECODE),
             password = parts.get(CURLUPART_PASSWORD, CURLUE_NO_PASSWORD, CURLU_URLDECODE);
  if (!user || !password) return bad("has a control character in user or password");
  if (user->find(':') != std::string::npos) return bad("has a ':' in the user's name, which no proxy can tell apart");
  const std::string port = parts.get(CURLUPART_PORT, CURLUE_NO_PORT).value_or("");
  if (port.empty()) return bad("names no port");  // libcurl's default is 1080, a browser's 80
  if (parts.get(CURLUPART_PATH, CURLUE_UNKNOWN_PART) != "/") return bad("has a path");
  const Result<Origin> origin =
      Origin::parse("http://" + parts.get(CURLUPART_HOST, CURLUE_NO_HOST).value_or("") + ":" + port);
  if (!origin) return bad("has no usable host and port");
  Proxy proxy{origin->host, origin->port, {}};
  if (!user->empty() || !password->empty()) proxy.authorization = "Basic " + base64(*user + ":" + *password);
  return proxy;
}

}  // namespace godwit::net
