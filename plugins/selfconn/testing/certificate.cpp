#include "plugins/selfconn/testing/certificate.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace selfconn::testing {
namespace {

std::string temporary_file() {
  char name[] = "/tmp/selfconn-test-XXXXXX";
  const int fd = ::mkstemp(name);
  EXPECT_GE(fd, 0);
  ::close(fd);
  return name;
}

template <class Write>
std::string pem(Write write) {
  BIO* const out = BIO_new(BIO_s_mem());
  EXPECT_EQ(write(out), 1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out, &bytes);
  std::string text(bytes, static_cast<size_t>(size));
  BIO_free(out);
  return text;
}

}  // namespace

Certificate::Certificate() : cert_file_(temporary_file()), key_file_(temporary_file()) {
  renew(Part::certificate);
  renew(Part::key);
}

void Certificate::renew(Part part) {
  if (part == Part::certificate) make();
  const std::filesystem::path path = part == Part::certificate ? cert_file_ : key_file_;
  std::ofstream(path, std::ios::trunc) << (part == Part::certificate ? cert_pem_ : key_pem_);
  // A file system's clock may stand still for some milliseconds; what is renewed bears another time here.
  std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::seconds(++renewals_));
}

void Certificate::make() {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const cert = X509_new();
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
  X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert), 86'400);
  X509_set_pubkey(cert, key);
  X509_NAME* const name = X509_get_subject_name(cert);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(cert, name);
  EXPECT_GT(X509_sign(cert, key, EVP_sha256()), 0);
  cert_pem_ = pem([cert](BIO* out) { return PEM_write_bio_X509(out, cert); });
  key_pem_ = pem([key](BIO* out) { return PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
  X509_free(cert);
  EVP_PKEY_free(key);
}

Certificate::~Certificate() {
  ::unlink(cert_file_.c_str());
  ::unlink(key_file_.c_str());
}

}  // namespace selfconn::testing
