#include "proxy/net/tls_context.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <stdexcept>

#include "tests/support/certificates.hpp"

namespace weirpool::proxy {
namespace {

using config::SslMode;

std::string what_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

class TlsContextTest : public ::testing::Test {
 protected:
  test::CertificateAuthority authority_;
};

TEST_F(TlsContextTest, ListenerContextIsStrict) {
  const auto files = authority_.issue();
  const auto context = TlsContext::for_clients(
      config::ListenerTls{config::ClientTls::require, files.cert_file, files.key_file, {}}, {});
  EXPECT_GE(SSL_CTX_get_min_proto_version(context->native()), TLS1_2_VERSION);
  const std::uint64_t wanted = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET;
  EXPECT_EQ(SSL_CTX_get_options(context->native()) & wanted, wanted);
  EXPECT_EQ(SSL_CTX_get_num_tickets(context->native()), 0U);
  EXPECT_NE(SSL_CTX_get_mode(context->native()) & SSL_MODE_RELEASE_BUFFERS, 0);
  EXPECT_FALSE(context->verify_host());
}

TEST_F(TlsContextTest, MissingFilesAreNamed) {
  const auto files = authority_.issue();
  EXPECT_NE(
      what_of([&] {
        TlsContext::for_clients(
            config::ListenerTls{config::ClientTls::require, "/no/such.pem", files.key_file, {}},
            {});
      }).find("cannot use certificate file /no/such.pem: "),
      std::string::npos);
  EXPECT_NE(
      what_of([&] {
        TlsContext::for_clients(
            config::ListenerTls{config::ClientTls::require, files.cert_file, "/no/such.key", {}},
            {});
      }).find("cannot use key file /no/such.key: "),
      std::string::npos);
  config::BackendTls tls{SslMode::verify_ca, "/no/ca.pem", "", ""};
  EXPECT_NE(
      what_of([&] { TlsContext::for_backend(tls, {}); }).find("cannot use CA file /no/ca.pem: "),
      std::string::npos);
}

TEST_F(TlsContextTest, KeyOfAnotherCertificateIsRefused) {
  const auto one = authority_.issue();
  const auto two = authority_.issue();
  EXPECT_NE(what_of([&] {
              TlsContext::for_clients(
                  config::ListenerTls{config::ClientTls::require, one.cert_file, two.key_file, {}},
                  {});
            }).find("cannot use key file " + two.key_file + ": key values mismatch"),
            std::string::npos);
}

TEST_F(TlsContextTest, GarbageInAFileIsRefused) {
  const std::string path = authority_.directory() + "/garbage.pem";
  std::ofstream(path) << "not a certificate\n";
  EXPECT_NE(what_of([&] {
              TlsContext::for_clients(
                  config::ListenerTls{config::ClientTls::require, path, path, {}}, {});
            }).find(path),
            std::string::npos);
  config::BackendTls tls{SslMode::require, path, "", ""};
  EXPECT_NE(what_of([&] { TlsContext::for_backend(tls, {}); }).find(path), std::string::npos);
}

TEST_F(TlsContextTest, BackendVerificationFollowsLibpq) {
  struct Case {
    SslMode mode;
    bool with_ca;
    bool chain;
    bool host;
  };
  const Case cases[] = {
      {SslMode::prefer, false, false, false},   {SslMode::prefer, true, false, false},
      {SslMode::require, false, false, false},  {SslMode::require, true, true, false},
      {SslMode::verify_ca, true, true, false},  {SslMode::verify_ca, false, true, false},
      {SslMode::verify_full, true, true, true}, {SslMode::verify_full, false, true, true},
  };
  for (const Case& one : cases) {
    config::BackendTls tls{one.mode, one.with_ca ? authority_.ca_file() : "", "", ""};
    const auto context = TlsContext::for_backend(tls, {});
    SCOPED_TRACE(static_cast<int>(one.mode));
    EXPECT_EQ(SSL_CTX_get_verify_mode(context->native()) == SSL_VERIFY_PEER, one.chain);
    EXPECT_EQ(context->verify_host(), one.host);
  }
}

TEST_F(TlsContextTest, BackendContextCarriesAClientCertificate) {
  const auto files = authority_.issue();
  config::BackendTls tls{SslMode::prefer, "", files.cert_file, files.key_file};
  const auto context = TlsContext::for_backend(tls, {});
  EXPECT_NE(SSL_CTX_get0_certificate(context->native()), nullptr);
}

}  // namespace
}  // namespace weirpool::proxy
