// What every TLS connection of one listener or one backend shares: certificates, trust, protocol
// bounds. Made when a configuration is loaded, immutable afterwards, shared by all threads.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace weirpool::proxy {

class TlsContext {
 public:
  /// We are the server: cert_file is a PEM chain, leaf first, key_file its unencrypted key. With a
  /// ca_file clients are asked for a certificate, and one that is shown must be trusted. `alpn`:
  /// the only application protocol a client may name (RFC 7301); empty: it is not looked at. Throws
  /// std::runtime_error that names the file and the reason.
  static std::shared_ptr<const TlsContext> for_clients(const config::ListenerTls& tls,
                                                       std::string_view alpn);

  /// We are the client: verification follows libpq's sslmode (PostgreSQL documentation, "SSL Mode
  /// Descriptions"): prefer and require encrypt without proof, except that require with a ca_file
  /// behaves like verify-ca; verify-ca wants a trusted chain; verify-full also the right name.
  /// An empty ca_file means the system's trust store. `alpn`: what is named as the application
  /// protocol; empty: nothing. Throws like for_clients.
  static std::shared_ptr<const TlsContext> for_backend(const config::BackendTls& tls,
                                                       std::string_view alpn);

  SSL_CTX* native() const { return context_.get(); }
  /// The peer's certificate must be valid for the name it is addressed by.
  bool verify_host() const { return verify_host_; }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  TlsContext(const SSL_METHOD* method, bool verify_host);
  void load_identity(const std::string& cert_file, const std::string& key_file);
  void load_trust(const std::string& ca_file);
  static int choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* length,
                             const unsigned char* offered, unsigned int size, void* context);

  std::unique_ptr<SSL_CTX, Free> context_;
  bool verify_host_ = false;
  std::string alpn_;  ///< as the wire has it: a length byte and the name
};

}  // namespace weirpool::proxy
