#include "proxy/net/tls_context.hpp"

#include <openssl/err.h>

#include <stdexcept>

namespace weirpool::proxy {
namespace {

/// The thread's oldest OpenSSL error, which names the cause; later ones only say who passed it on.
std::string last_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  const char* reason = ERR_reason_error_string(code);
  if (reason != nullptr) return reason;
  std::string text(256, '\0');
  ERR_error_string_n(code, text.data(), text.size());
  text.resize(text.find('\0'));
  return text;
}

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error("TLS: " + what + ": " + last_reason());
}

/// A key with a passphrase must be an error: OpenSSL's default would ask on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

std::string alpn_text(std::string_view name) {
  return std::string(1, static_cast<char>(name.size())).append(name);
}

bool verifies_chain(const config::BackendTls& tls) {
  switch (tls.mode) {
    case config::SslMode::disable:
    case config::SslMode::prefer: return false;
    case config::SslMode::require: return !tls.ca_file.empty();
    case config::SslMode::verify_ca:
    case config::SslMode::verify_full: return true;
  }
  return true;
}

}  // namespace

TlsContext::TlsContext(const SSL_METHOD* method, bool verify_host) : verify_host_(verify_host) {
  ERR_clear_error();
  context_.reset(SSL_CTX_new(method));
  if (!context_) fail("cannot create a context");
  if (SSL_CTX_set_min_proto_version(native(), TLS1_2_VERSION) != 1) fail("cannot require TLS 1.2");
  // A compressed secret leaks its length (CRIME), and renegotiation lets a peer spend our CPU.
  // Database clients keep their connections, so tickets would be bytes for nothing.
  SSL_CTX_set_options(native(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(native(), 0);
  SSL_CTX_set_session_cache_mode(native(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(native(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_default_passwd_cb(native(), no_passphrase);
}

void TlsContext::load_identity(const std::string& cert_file, const std::string& key_file) {
  if (SSL_CTX_use_certificate_chain_file(native(), cert_file.c_str()) != 1) {
    fail("cannot use certificate file " + cert_file);
  }
  if (SSL_CTX_use_PrivateKey_file(native(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    fail("cannot use key file " + key_file);
  }
  if (SSL_CTX_check_private_key(native()) != 1) {
    fail("key file " + key_file + " does not belong to certificate file " + cert_file);
  }
}

void TlsContext::load_trust(const std::string& ca_file) {
  if (ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(native()) != 1) fail("cannot use the system's CA store");
  } else if (SSL_CTX_load_verify_file(native(), ca_file.c_str()) != 1) {
    fail("cannot use CA file " + ca_file);
  }
  SSL_CTX_set_verify(native(), SSL_VERIFY_PEER, nullptr);
}

int TlsContext::choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length,
                                const unsigned char* offered, unsigned int size, void* context) {
  const std::string& ours = static_cast<const TlsContext*>(context)->alpn_;
  const auto* own = reinterpret_cast<const unsigned char*>(ours.data());
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(&found, length, own,
                                           static_cast<unsigned int>(ours.size()), offered, size);
  // A client that means another protocol has been led here by somebody: the handshake ends.
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

std::shared_ptr<const TlsContext> TlsContext::for_clients(const config::ListenerTls& tls,
                                                          std::string_view alpn) {
  std::shared_ptr<TlsContext> made(new TlsContext(TLS_server_method(), false));
  made->load_identity(tls.cert_file, tls.key_file);
  SSL_CTX_set_dh_auto(made->native(), 1);
  if (!tls.ca_file.empty()) {
    made->load_trust(tls.ca_file);
    STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(tls.ca_file.c_str());
    if (names == nullptr) fail("cannot use CA file " + tls.ca_file);
    SSL_CTX_set_client_CA_list(made->native(), names);
  }
  if (!alpn.empty()) {
    made->alpn_ = alpn_text(alpn);
    SSL_CTX_set_alpn_select_cb(made->native(), choose_protocol, made.get());
  }
  return made;
}

std::shared_ptr<const TlsContext> TlsContext::for_backend(const config::BackendTls& tls,
                                                          std::string_view alpn) {
  const bool verify_host = tls.mode == config::SslMode::verify_full;
  std::shared_ptr<TlsContext> made(new TlsContext(TLS_client_method(), verify_host));
  if (verifies_chain(tls)) made->load_trust(tls.ca_file);
  if (!tls.cert_file.empty()) made->load_identity(tls.cert_file, tls.key_file);
  if (!alpn.empty()) {
    made->alpn_ = alpn_text(alpn);
    const auto* raw = reinterpret_cast<const unsigned char*>(made->alpn_.data());
    const auto size = static_cast<unsigned int>(made->alpn_.size());
    if (SSL_CTX_set_alpn_protos(made->native(), raw, size) != 0) fail("cannot name the protocol");
  }
  return made;
}

}  // namespace weirpool::proxy
