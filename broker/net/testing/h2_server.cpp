#include "broker/net/testing/h2_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "broker/base/thread.hpp"

namespace godwit::net::testing {
namespace {

nghttp2_nv pair_of(const std::string& name, const std::string& value) {
  const auto bytes = [](const std::string& s) { return reinterpret_cast<uint8_t*>(const_cast<char*>(s.data())); };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

int choose_h2(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* in, unsigned in_length,
              void* speaks_h2) {
  const std::string_view wanted = *static_cast<const bool*>(speaks_h2) ? "h2" : "http/1.1";
  for (unsigned i = 0; i < in_length; i += in[i] + 1u)
    if (std::string_view(reinterpret_cast<const char*>(in) + i + 1, in[i]) == wanted) {
      *out = in + i + 1;
      *length = in[i];
      return SSL_TLSEXT_ERR_OK;
    }
  return SSL_TLSEXT_ERR_NOACK;
}

SSL_CTX* make_context(const TestCertificate& certificate, const bool& speaks_h2) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  BIO* bio = BIO_new_mem_buf(certificate.certificate_pem.data(), -1);
  X509* x509 = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  bio = BIO_new_mem_buf(certificate.key_pem.data(), -1);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  SSL_CTX_use_certificate(context, x509);
  SSL_CTX_use_PrivateKey(context, key);
  X509_free(x509);
  EVP_PKEY_free(key);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });  // ask, and take any
  SSL_CTX_set_alpn_select_cb(context, choose_h2, const_cast<bool*>(&speaks_h2));
  return context;
}

std::string client_of(SSL* ssl) {
  X509* peer = SSL_get1_peer_certificate(ssl);
  if (!peer) return "none";
  char name[128] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, name, sizeof name);
  X509_free(peer);
  return name;
}

}  // namespace

struct H2ServerCallbacks {
  static H2ServerConnection& self(void* user) { return *static_cast<H2ServerConnection*>(user); }
  static H2Request* find(H2ServerConnection& c, int32_t stream) {
    for (H2Request& r : c.reading_)
      if (r.stream == stream) return &r;
    return nullptr;
  }
  static int begin(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    H2ServerConnection& c = self(user);
    c.reading_.emplace_back().stream = frame->hd.stream_id;
    const int open = static_cast<int>(c.reading_.size());
    int most = c.server_->most_streams_;
    while (open > most && !c.server_->most_streams_.compare_exchange_weak(most, open)) {
    }
    return 0;
  }
  static int header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_length,
                    const uint8_t* value, size_t value_length, uint8_t, void* user) {
    H2Request* r = find(self(user), frame->hd.stream_id);
    if (!r) return 0;
    std::string n(reinterpret_cast<const char*>(name), name_length);
    std::string v(reinterpret_cast<const char*>(value), value_length);
    if (n == ":path") r->path = v;
    r->headers.emplace_back(std::move(n), std::move(v));
    return 0;
  }
  static int data(nghttp2_session*, uint8_t, int32_t stream, const uint8_t* bytes, size_t length, void* user) {
    if (H2Request* r = find(self(user), stream)) r->body.append(reinterpret_cast<const char*>(bytes), length);
    return 0;
  }
  static int frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    H2ServerConnection& c = self(user);
    if (frame->hd.type == NGHTTP2_PING && !(frame->hd.flags & NGHTTP2_FLAG_ACK)) {
      ++c.server_->pings_;
      if (c.answers_pings_) nghttp2_submit_ping(session, NGHTTP2_FLAG_ACK, frame->ping.opaque_data);
    }
    if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ||
        (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
      return 0;
    const H2Request* r = find(c, frame->hd.stream_id);
    if (!r) return 0;
    ++c.requests;
    {
      std::lock_guard lock(c.server_->mutex_);
      c.server_->seen_.push_back(r->path);
    }
    c.server_->script_(c, *r);
    return 0;
  }
  static int close(nghttp2_session*, int32_t stream, uint32_t, void* user) {
    self(user).reading_.remove_if([&](const H2Request& r) { return r.stream == stream; });
    return 0;
  }
};

// ---- what scripts do ---------------------------------------------------------------------------------------------

void H2ServerConnection::answer(int32_t stream, int status, const std::string& body) {
  const std::string status_text = std::to_string(status), name = ":status", server = "server", h2 = "h2-server";
  const nghttp2_nv headers[] = {pair_of(name, status_text), pair_of(server, h2)};
  struct Left {
    std::string bytes;
    size_t at = 0;
  };
  nghttp2_data_provider provider{};
  auto* left = new Left{body, 0};  // freed with its last byte; a stream that dies before leaks in a test only
  provider.source.ptr = left;
  provider.read_callback = [](nghttp2_session*, int32_t, uint8_t* into, size_t room, uint32_t* flags,
                              nghttp2_data_source* source, void*) -> ssize_t {
    auto* l = static_cast<Left*>(source->ptr);
    const size_t n = std::min(room, l->bytes.size() - l->at);
    std::memcpy(into, l->bytes.data() + l->at, n);
    l->at += n;
    if (l->at == l->bytes.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      delete l;
    }
    return static_cast<ssize_t>(n);
  };
  if (body.empty()) delete left;
  nghttp2_submit_response(session_, stream, headers, 2, body.empty() ? nullptr : &provider);
}

void H2ServerConnection::reset(int32_t stream, uint32_t code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, code);
}

void H2ServerConnection::goaway(int32_t last_stream, uint32_t code, const std::string& debug) {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_stream, code, reinterpret_cast<const uint8_t*>(debug.data()),
                        debug.size());
}

void H2ServerConnection::allow_streams(uint32_t n) {
  const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, n};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &entry, 1);
}

void H2ServerConnection::half_close() {
  shutdown(fd_, SHUT_WR);
}

void H2ServerConnection::cut() {
  const linger at_once{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  cut_ = true;
}

// ---- server ------------------------------------------------------------------------------------------------------

H2Server::H2Server(Script script, Options options) : script_(std::move(script)), options_(std::move(options)) {
  if (options_.certificate) context_ = make_context(*options_.certificate, options_.speaks_h2);
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
  listen(listener_, 64);
  socklen_t length = sizeof address;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
  port_ = ntohs(address.sin_port);
  acceptor_ = start_thread("h2-accept", [this] { accept_all(); });
}

H2Server::~H2Server() {
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  {
    std::lock_guard lock(mutex_);
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  SSL_CTX_free(static_cast<SSL_CTX*>(context_));
}

std::string H2Server::origin(const std::string& host) const {
  return (context_ ? "https://" : "http://") + host + ":" + std::to_string(port_);
}

std::vector<std::string> H2Server::seen() const {
  std::lock_guard lock(mutex_);
  return seen_;
}

void H2Server::accept_all() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int number = ++connections_;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    {
      std::lock_guard lock(mutex_);
      open_.push_back(fd);
    }
    threads_.push_back(start_thread("h2-serve", [this, fd, number] {
      serve(fd, number);
      std::lock_guard lock(mutex_);
      open_.remove(fd);
      close(fd);
    }));
  }
}

void H2Server::serve(int fd, int number) {
  H2ServerConnection c;
  c.number = number;
  c.server_ = this;
  c.fd_ = fd;
  SSL* ssl = nullptr;
  if (context_) {
    ssl = SSL_new(static_cast<SSL_CTX*>(context_));
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) != 1) {
      ERR_clear_error();
      SSL_free(ssl);
      return;
    }
    c.client = client_of(ssl);
  }
  const auto read = [&](char* into, size_t room) -> long {
    return ssl ? SSL_read(ssl, into, static_cast<int>(room)) : recv(fd, into, room, 0);
  };
  const auto write = [&](const void* bytes, size_t length) -> bool {
    return ssl ? SSL_write(ssl, bytes, static_cast<int>(length)) > 0
               : send(fd, bytes, length, MSG_NOSIGNAL) == static_cast<ssize_t>(length);
  };
  char bytes[16 << 10];
  if (!options_.speaks_h2) {
    while (read(bytes, sizeof bytes) > 0) {
      const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold";
      if (!write(answer.data(), answer.size())) break;
    }
    SSL_free(ssl);
    return;
  }

  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, H2ServerCallbacks::begin);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, H2ServerCallbacks::header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, H2ServerCallbacks::data);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, H2ServerCallbacks::frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, H2ServerCallbacks::close);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_auto_ping_ack(option, 1);
  nghttp2_session_server_new2(&c.session_, callbacks, &c, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options_.max_streams};
  nghttp2_submit_settings(c.session_, NGHTTP2_FLAG_NONE, &entry, 1);
  if (options_.greeting) options_.greeting(c);

  while (!c.cut_) {
    bool alive = true;
    const uint8_t* frame = nullptr;
    while (alive) {
      const ssize_t length = nghttp2_session_mem_send(c.session_, &frame);
      if (length <= 0) break;
      alive = write(frame, static_cast<size_t>(length));
    }
    if (!alive || c.closing_) break;
    const long got = read(bytes, sizeof bytes);
    if (got <= 0) break;
    if (nghttp2_session_mem_recv(c.session_, reinterpret_cast<const uint8_t*>(bytes), static_cast<size_t>(got)) < 0)
      break;
  }
  if (c.closing_) {  // unread bytes would turn the close into a reset, which takes back what was written
    shutdown(fd, SHUT_WR);
    while (recv(fd, bytes, sizeof bytes, 0) > 0) {
    }
  }
  nghttp2_session_del(c.session_);
  ERR_clear_error();
  SSL_free(ssl);
}

}  // namespace godwit::net::testing
