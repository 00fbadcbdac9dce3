// Certificates made while a test runs, in a directory of their own that goes with the object. A
// program that uses it links OpenSSL::Crypto.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace weirpool::test {

struct CertificateFiles {
  std::string cert_file;
  std::string key_file;
};

struct CertificateRequest {
  std::string alternative_name = "DNS:localhost";  ///< as in OpenSSL's subjectAltName; or empty
  std::vector<std::string> common_names{"test leaf"};
  int days_valid = 1;  ///< negative: expired that long ago
};

/// A root of trust with a P-256 key. Throws std::runtime_error when OpenSSL or the disk refuses.
class CertificateAuthority {
 public:
  CertificateAuthority();
  CertificateAuthority(const CertificateAuthority&) = delete;
  CertificateAuthority& operator=(const CertificateAuthority&) = delete;
  ~CertificateAuthority();

  /// The root certificate, PEM.
  const std::string& ca_file() const { return ca_file_; }
  /// Where all files are; a test may add its own.
  const std::string& directory() const { return directory_; }
  /// A new key and a certificate for it, PEM.
  CertificateFiles issue(const CertificateRequest& request = {});

 private:
  struct Root;

  std::string directory_;
  std::string ca_file_;
  std::unique_ptr<Root> root_;
  int issued_ = 0;
};

}  // namespace weirpool::test
