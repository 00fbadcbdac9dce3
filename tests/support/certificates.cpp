#include "tests/support/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace weirpool::test {
namespace {

constexpr long kDay = 24L * 60 * 60;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;

void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("test certificates: ") + what);
}

Key make_key() {
  Key key(EVP_EC_gen("P-256"));
  require(key != nullptr, "no key");
  return key;
}

void add_extension(X509& certificate, int kind, const std::string& value) {
  std::unique_ptr<X509_EXTENSION, Free> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
  require(extension && X509_add_ext(&certificate, extension.get(), -1) == 1, value.c_str());
}

Certificate make_certificate(EVP_PKEY& key, const std::vector<std::string>& names, int serial,
                             int days_valid) {
  Certificate made(X509_new());
  require(made != nullptr, "no certificate");
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial);
  const long end = days_valid * kDay;
  X509_gmtime_adj(X509_getm_notBefore(made.get()), end < 0 ? end - kDay : -kDay);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), end);
  X509_set_pubkey(made.get(), &key);
  for (const std::string& name : names) {
    // The length is given: a test may want a zero byte inside.
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.data()),
                               static_cast<int>(name.size()), -1, 0);
  }
  return made;
}

void sign(X509& certificate, EVP_PKEY& key) {
  require(X509_sign(&certificate, &key, EVP_sha256()) != 0, "cannot sign");
}

template <class Write>
std::string write_pem(const std::string& path, Write write) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  require(file != nullptr, path.c_str());
  const int written = write(file);
  require(std::fclose(file) == 0 && written == 1, path.c_str());
  return path;
}

}  // namespace

struct CertificateAuthority::Root {
  Key key = make_key();
  Certificate certificate = make_certificate(*key, {"test root"}, 1, 30);
};

CertificateAuthority::CertificateAuthority() : root_(std::make_unique<Root>()) {
  std::string pattern = (std::filesystem::temp_directory_path() / "weirpool-ca-XXXXXX").string();
  require(mkdtemp(pattern.data()) != nullptr, "no directory");
  directory_ = pattern;
  X509* const root = root_->certificate.get();
  X509_set_issuer_name(root, X509_get_subject_name(root));
  add_extension(*root, NID_basic_constraints, "critical,CA:TRUE");
  sign(*root, *root_->key);
  ca_file_ = write_pem(directory_ + "/ca.pem",
                       [root](std::FILE* file) { return PEM_write_X509(file, root); });
}

CertificateAuthority::~CertificateAuthority() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

CertificateFiles CertificateAuthority::issue(const CertificateRequest& request) {
  const std::string base = directory_ + "/leaf" + std::to_string(++issued_);
  const Key key = make_key();
  const Certificate leaf =
      make_certificate(*key, request.common_names, issued_ + 1, request.days_valid);
  X509_set_issuer_name(leaf.get(), X509_get_subject_name(root_->certificate.get()));
  if (!request.alternative_name.empty()) {
    add_extension(*leaf, NID_subject_alt_name, request.alternative_name);
  }
  sign(*leaf, *root_->key);
  CertificateFiles files;
  files.cert_file = write_pem(
      base + ".pem", [&leaf](std::FILE* file) { return PEM_write_X509(file, leaf.get()); });
  files.key_file = write_pem(base + ".key", [&key](std::FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return files;
}

}  // namespace weirpool::test
