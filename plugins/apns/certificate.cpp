#include "certificate.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace apns {

godwit::Result<int64_t> days_left(std::string_view pem, uint64_t now_wall_ms) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                          &BIO_free_all);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                                &X509_free);
  int days = 0, seconds = 0;
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> now(
      ASN1_TIME_set(nullptr, static_cast<time_t>(now_wall_ms / 1000)), &ASN1_TIME_free);
  if (!certificate || !now || ASN1_TIME_diff(&days, &seconds, now.get(), X509_get0_notAfter(certificate.get())) != 1) {
    ERR_clear_error();
    return godwit::invalid("the certificate is not PEM (-----BEGIN CERTIFICATE-----)", "/certificate_file");
  }
  return seconds < 0 ? days - 1 : days;
}

}  // namespace apns
