#include "proxy/net/tls_channel.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/certificates.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// From sanitizer/allocator_interface.h, a header that g++ does not install.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace weirpool::proxy {
namespace {

using config::SslMode;
using protocol::bytes_of;
using Role = TlsChannel::Role;
using Status = TlsChannel::Status;

constexpr std::size_t kAll = SIZE_MAX;

/// Carries ciphertext from one channel to the other, at most `piece` bytes per feed.
bool carry(TlsChannel& from, TlsChannel& to, std::size_t piece) {
  bool moved = false;
  while (!from.outgoing().empty()) {
    const protocol::Bytes bytes = from.outgoing();
    const std::size_t count = std::min(piece, bytes.size());
    to.feed(bytes.first(count));
    from.consumed(count);
    moved = true;
    if (piece != kAll) break;
  }
  return moved;
}

struct Ends {
  Status client = Status::need_input;
  Status server = Status::need_input;
};

Ends shake_hands(TlsChannel& client, TlsChannel& server, std::size_t piece) {
  Ends ends;
  bool moved = true;
  while (moved) {
    ends.client = client.handshake();
    moved = carry(client, server, piece);
    ends.server = server.handshake();
    moved = carry(server, client, piece) || moved;
  }
  return ends;
}

std::string read_all(TlsChannel& channel, Status& last) {
  std::string text;
  std::vector<std::uint8_t> chunk(16 * 1024);
  while (true) {
    const auto [status, count] = channel.read(chunk);
    last = status;
    if (status != Status::ok) return text;
    text.append(reinterpret_cast<const char*>(chunk.data()), count);
  }
}

std::size_t allocated() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return __sanitizer_get_current_allocated_bytes();
#else
  return mallinfo2().uordblks;
#endif
}

class TlsChannelTest : public ::testing::Test {
 protected:
  TlsChannel server() { return {listener(), Role::server, ""}; }
  std::shared_ptr<const TlsContext> listener(const test::CertificateRequest& request = {}) {
    const auto files = authority_.issue(request);
    return TlsContext::for_clients(
        config::ListenerTls{config::ClientTls::require, files.cert_file, files.key_file, {}}, {});
  }
  TlsChannel client(SslMode mode = SslMode::verify_full, const std::string& name = "localhost") {
    return client_trusting(authority_.ca_file(), mode, name);
  }
  static TlsChannel client_trusting(const std::string& ca_file, SslMode mode,
                                    const std::string& name) {
    config::BackendTls tls{mode, ca_file, "", ""};
    return {TlsContext::for_backend(tls, {}), Role::client, name};
  }

  /// A listener that asks for certificates, and a client that shows one with these common names.
  /// None: it has none to show.
  std::optional<std::string> name_seen(const std::vector<std::string>& names, bool trusted = true) {
    test::CertificateAuthority stranger;
    const auto own = authority_.issue();
    const std::string& trust = trusted ? authority_.ca_file() : stranger.ca_file();
    TlsChannel there(
        TlsContext::for_clients(
            config::ListenerTls{config::ClientTls::require, own.cert_file, own.key_file, trust},
            {}),
        Role::server, "");
    config::BackendTls tls{SslMode::require, "", "", ""};
    if (!names.empty()) {
      test::CertificateRequest request;
      request.common_names = names;
      const auto files = authority_.issue(request);
      tls.cert_file = files.cert_file;
      tls.key_file = files.key_file;
    }
    TlsChannel here(TlsContext::for_backend(tls, {}), Role::client, "localhost");
    const Ends ends = shake_hands(here, there, kAll);
    handshake_ = ends.server;
    EXPECT_EQ(there.peer_is_trusted(), ends.server == Status::ok && !names.empty());
    return there.peer_common_name();
  }

  /// What both ends agree on; "failed" if they do not.
  std::string agreed(std::string_view ours, std::string_view theirs) {
    const auto files = authority_.issue();
    TlsChannel there(
        TlsContext::for_clients(
            config::ListenerTls{config::ClientTls::require, files.cert_file, files.key_file, {}},
            ours),
        Role::server, "");
    TlsChannel here(TlsContext::for_backend({SslMode::require, "", "", ""}, theirs), Role::client,
                    "localhost");
    if (shake_hands(here, there, kAll).server != Status::ok) return "failed";
    EXPECT_EQ(here.application(), there.application());
    return std::string(there.application());
  }

  test::CertificateAuthority authority_;
  Status handshake_{};
};

TEST_F(TlsChannelTest, HandshakeAndDataInPiecesOfEverySize) {
  for (const std::size_t piece : {1UL, 2UL, 3UL, 4UL, 5UL, 6UL, 7UL, kAll}) {
    SCOPED_TRACE(piece);
    TlsChannel here = client();
    TlsChannel there = server();
    const Ends ends = shake_hands(here, there, piece);
    ASSERT_EQ(ends.client, Status::ok) << here.error();
    ASSERT_EQ(ends.server, Status::ok) << there.error();

    ASSERT_EQ(here.write(bytes_of("select 1")).count, 8U);
    ASSERT_EQ(there.write(bytes_of("1 row")).count, 5U);
    while (carry(here, there, piece)) {
    }
    while (carry(there, here, piece)) {
    }
    Status last{};
    EXPECT_EQ(read_all(there, last), "select 1");
    EXPECT_EQ(last, Status::need_input);
    EXPECT_EQ(read_all(here, last), "1 row");
    EXPECT_EQ(last, Status::need_input);
  }
}

TEST_F(TlsChannelTest, PendingPlaintextIsKnownWithoutTheSocket) {
  TlsChannel here = client();
  TlsChannel there = server();
  ASSERT_EQ(shake_hands(here, there, kAll).server, Status::ok);
  EXPECT_FALSE(there.has_pending_plaintext());
  ASSERT_EQ(here.write(bytes_of("abcdef")).status, Status::ok);

  carry(here, there, kAll);
  EXPECT_TRUE(there.has_pending_plaintext());  // undecrypted
  std::uint8_t first[2];
  ASSERT_EQ(there.read(first).count, 2U);
  EXPECT_TRUE(there.has_pending_plaintext());  // decrypted, unread
  Status last{};
  EXPECT_EQ(read_all(there, last), "cdef");
  EXPECT_FALSE(there.has_pending_plaintext());
}

TEST_F(TlsChannelTest, HalfARecordIsNotPending) {
  TlsChannel here = client();
  TlsChannel there = server();
  ASSERT_EQ(shake_hands(here, there, kAll).server, Status::ok);
  ASSERT_EQ(here.write(bytes_of("abcdef")).status, Status::ok);
  there.feed(here.outgoing().first(10));
  Status last{};
  EXPECT_EQ(read_all(there, last), "");
  EXPECT_EQ(last, Status::need_input);
  EXPECT_FALSE(there.has_pending_plaintext());
}

TEST_F(TlsChannelTest, VerifyFullWantsTheRightName) {
  struct Case {
    const char* certificate;
    const char* name;
    bool accepted;
  };
  const Case cases[] = {
      {"DNS:localhost", "localhost", true},
      {"DNS:localhost", "LOCALHOST", true},
      {"DNS:localhost", "shop.example.com", false},
      {"DNS:*.example.com", "shop.example.com", true},
      {"DNS:*.example.com", "a.shop.example.com", false},
      {"DNS:sh*.example.com", "shop.example.com", false},
      {"IP:127.0.0.1", "127.0.0.1", true},
      {"IP:::1", "::1", true},
      {"IP:127.0.0.1", "127.0.0.2", false},
      {"DNS:127.0.0.1", "127.0.0.1", false},
      {"DNS:localhost", "", false},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(std::string(one.certificate) + " for " + one.name);
    TlsChannel there(listener({.alternative_name = one.certificate}), Role::server, "");
    TlsChannel here = client(SslMode::verify_full, one.name);
    EXPECT_EQ(shake_hands(here, there, kAll).client, one.accepted ? Status::ok : Status::failed);
    EXPECT_EQ(here.error().empty(), one.accepted) << here.error();
  }
}

TEST_F(TlsChannelTest, WrongNameIsSaidAndTheOtherSideHearsAnAlert) {
  TlsChannel there(listener({.alternative_name = "DNS:other"}), Role::server, "");
  TlsChannel here = client();
  const Ends ends = shake_hands(here, there, kAll);
  EXPECT_EQ(ends.client, Status::failed);
  EXPECT_EQ(here.error(), "certificate verify failed: hostname mismatch");
  std::uint8_t plain[16];
  EXPECT_EQ(there.read(plain).status, Status::failed);
  EXPECT_NE(there.error(), "");
  EXPECT_EQ(here.handshake(), Status::failed);
  EXPECT_EQ(here.write(bytes_of("secret")).count, 0U);
}

TEST_F(TlsChannelTest, VerifyCaIgnoresTheName) {
  TlsChannel there(listener({.alternative_name = "DNS:other"}), Role::server, "");
  TlsChannel here = client(SslMode::verify_ca);
  EXPECT_EQ(shake_hands(here, there, kAll).client, Status::ok) << here.error();
}

TEST_F(TlsChannelTest, ExpiredCertificateFails) {
  TlsChannel there(listener({.days_valid = -1}), Role::server, "");
  TlsChannel here = client(SslMode::verify_ca);
  EXPECT_EQ(shake_hands(here, there, kAll).client, Status::failed);
  EXPECT_EQ(here.error(), "certificate verify failed: certificate has expired");
}

TEST_F(TlsChannelTest, UnknownAuthorityFailsWhereTheModeVerifies) {
  const test::CertificateAuthority stranger;
  for (const SslMode mode : {SslMode::require, SslMode::verify_ca, SslMode::verify_full}) {
    TlsChannel there = server();
    TlsChannel here = client_trusting(stranger.ca_file(), mode, "localhost");
    EXPECT_EQ(shake_hands(here, there, kAll).client, Status::failed);
    EXPECT_NE(here.error().find("certificate verify failed: "), std::string::npos) << here.error();
  }
}

TEST_F(TlsChannelTest, PreferAndRequireWithoutAuthorityOnlyEncrypt) {
  for (const SslMode mode : {SslMode::prefer, SslMode::require}) {
    TlsChannel there(listener({.alternative_name = "DNS:other", .days_valid = -1}), Role::server,
                     "");
    TlsChannel here = client_trusting("", mode, "localhost");
    EXPECT_EQ(shake_hands(here, there, kAll).client, Status::ok) << here.error();
  }
}

TEST_F(TlsChannelTest, GarbageFailsInsteadOfAHandshake) {
  for (const Role role : {Role::server, Role::client}) {
    TlsChannel channel = role == Role::server ? server() : client();
    channel.handshake();
    channel.feed(bytes_of("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"));
    EXPECT_EQ(channel.handshake(), Status::failed);
    EXPECT_NE(channel.error(), "");
    channel.shutdown();
    channel.feed(bytes_of("more"));
    EXPECT_FALSE(channel.has_pending_plaintext());
  }
}

TEST_F(TlsChannelTest, TamperedRecordFailsAfterTheHandshake) {
  TlsChannel here = client();
  TlsChannel there = server();
  ASSERT_EQ(shake_hands(here, there, kAll).server, Status::ok);
  ASSERT_EQ(here.write(bytes_of("select 1")).status, Status::ok);
  std::vector<std::uint8_t> record(here.outgoing().begin(), here.outgoing().end());
  record.back() ^= 1U;
  there.feed(record);
  std::uint8_t plain[16];
  EXPECT_EQ(there.read(plain).status, Status::failed);
  EXPECT_EQ(there.read(plain).status, Status::failed);
  EXPECT_NE(there.error(), "");
}

TEST_F(TlsChannelTest, BigTransferArrivesWhole) {
  TlsChannel here = client();
  TlsChannel there = server();
  ASSERT_EQ(shake_hands(here, there, kAll).server, Status::ok);
  std::string sent(3 * 1024 * 1024 + 17, ' ');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 2654435761U >> 24U);

  std::string got;
  Status last{};
  std::size_t done = 0;
  while (got.size() < sent.size()) {
    const std::size_t count = std::min<std::size_t>(sent.size() - done, 16 * 1024);
    if (count > 0 && here.write(bytes_of(sent).subspan(done, count)).status == Status::ok) {
      done += count;
    }
    ASSERT_TRUE(carry(here, there, 7919));
    got += read_all(there, last);
    ASSERT_EQ(last, Status::need_input);
  }
  EXPECT_TRUE(got == sent);
}

TEST_F(TlsChannelTest, WriteRefusesWhileTooMuchWaits) {
  TlsChannel here = client();
  TlsChannel there = server();
  ASSERT_EQ(shake_hands(here, there, kAll).server, Status::ok);
  const std::string half(TlsChannel::kOutgoingLimit / 2, 'x');
  ASSERT_EQ(here.write(bytes_of(half)).count, half.size());
  ASSERT_EQ(here.write(bytes_of(half)).count, half.size());
  const std::size_t waiting = here.outgoing().size();
  EXPECT_GT(waiting, TlsChannel::kOutgoingLimit);
  const auto [status, count] = here.write(bytes_of("more"));
  EXPECT_EQ(status, Status::need_input);
  EXPECT_EQ(count, 0U);
  EXPECT_EQ(here.outgoing().size(), waiting);
  here.consumed(waiting);
  EXPECT_EQ(here.write(bytes_of("more")).count, 4U);
}

TEST_F(TlsChannelTest, NothingIsWrittenBeforeTheHandshakeIsOver) {
  TlsChannel there = server();
  EXPECT_EQ(there.write(bytes_of("x")).status, Status::need_input);
  EXPECT_TRUE(there.outgoing().empty());
  std::uint8_t plain[4];
  EXPECT_EQ(there.read(plain).status, Status::need_input);
}

TEST_F(TlsChannelTest, CloseNotifyEndsTheStream) {
  TlsChannel here = client();
  TlsChannel there = server();
  ASSERT_EQ(shake_hands(here, there, kAll).server, Status::ok);
  ASSERT_EQ(here.write(bytes_of("bye")).status, Status::ok);
  here.shutdown();
  carry(here, there, kAll);
  Status last{};
  EXPECT_EQ(read_all(there, last), "bye");
  EXPECT_EQ(last, Status::closed);
  EXPECT_EQ(there.error(), "");
  EXPECT_EQ(here.write(bytes_of("more")).status, Status::failed);
}

TEST_F(TlsChannelTest, MovesWithItsState) {
  TlsChannel here = client();
  TlsChannel there = server();
  ASSERT_EQ(shake_hands(here, there, kAll).server, Status::ok);
  ASSERT_EQ(here.write(bytes_of("one")).status, Status::ok);
  carry(here, there, 5);
  TlsChannel moved_here(std::move(here));
  TlsChannel moved_there = server();
  moved_there = std::move(there);
  carry(moved_here, moved_there, kAll);
  Status last{};
  EXPECT_EQ(read_all(moved_there, last), "one");
  ASSERT_EQ(moved_there.write(bytes_of("two")).status, Status::ok);
  carry(moved_there, moved_here, kAll);
  EXPECT_EQ(read_all(moved_here, last), "two");
}

TEST_F(TlsChannelTest, PeerThatDemandsAnswersAndNeverReadsThemIsDropped) {
  TlsChannel there = server();
  struct Raw {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL* ssl = SSL_new(context);
    BIO* in = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(BIO_s_mem());
    Raw() {
      SSL_set_bio(ssl, in, out);
      SSL_set_connect_state(ssl);
    }
    ~Raw() {
      SSL_free(ssl);
      SSL_CTX_free(context);
    }
    void send_to(TlsChannel& channel) const {
      std::uint8_t bytes[4096];
      int count = 0;
      while ((count = BIO_read(out, bytes, sizeof bytes)) > 0) {
        channel.feed(protocol::Bytes(bytes, static_cast<std::size_t>(count)));
      }
    }
  } peer;
  for (int round = 0; round < 3; ++round) {
    SSL_do_handshake(peer.ssl);
    peer.send_to(there);
    there.handshake();
    BIO_write(peer.in, there.outgoing().data(), static_cast<int>(there.outgoing().size()));
    there.consumed(there.outgoing().size());
  }
  ASSERT_EQ(SSL_version(peer.ssl), TLS1_3_VERSION);

  std::uint8_t plain[16];
  Status last = Status::need_input;
  for (int i = 0; i < 10'000 && last == Status::need_input; ++i) {
    ASSERT_EQ(SSL_key_update(peer.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    ASSERT_EQ(SSL_do_handshake(peer.ssl), 1);
    peer.send_to(there);
    last = there.read(plain).status;
  }
  EXPECT_EQ(last, Status::failed);
  EXPECT_EQ(there.error(), "the peer demands answers and does not read them");
  EXPECT_LT(there.outgoing().size(), TlsChannel::kOutgoingLimit);
}

TEST_F(TlsChannelTest, AClientsNameIsTheOneCommonNameOfATrustedCertificate) {
  EXPECT_EQ(name_seen({"app"}), "app");
  EXPECT_EQ(name_seen({"caf\xC3\xA9"}), "caf\xC3\xA9");
  EXPECT_EQ(name_seen({"app", "admin"}), std::nullopt);
  EXPECT_EQ(name_seen({std::string("app\0.evil", 9)}), std::nullopt);
  EXPECT_EQ(handshake_, Status::ok);
  EXPECT_EQ(name_seen({}), std::nullopt);
  EXPECT_EQ(handshake_, Status::ok);
}

TEST_F(TlsChannelTest, ACertificateOfAStrangerEndsTheHandshake) {
  EXPECT_EQ(name_seen({"app"}, false), std::nullopt);
  EXPECT_EQ(handshake_, Status::failed);
}

TEST_F(TlsChannelTest, BothEndsKnowTheSameEndPoint) {
  TlsChannel here = client();
  TlsChannel there = server();
  EXPECT_TRUE(here.end_point().empty());
  ASSERT_EQ(shake_hands(here, there, kAll).server, Status::ok);
  EXPECT_EQ(here.end_point().size(), 32U);
  EXPECT_EQ(here.end_point(), there.end_point());
  TlsChannel other_here = client();
  TlsChannel other_there = server();
  ASSERT_EQ(shake_hands(other_here, other_there, kAll).server, Status::ok);
  EXPECT_NE(other_here.end_point(), here.end_point());
}

TEST_F(TlsChannelTest, TheApplicationProtocolIsAgreedOnOrTheHandshakeEnds) {
  EXPECT_EQ(agreed("postgresql", "postgresql"), "postgresql");
  EXPECT_EQ(agreed("postgresql", ""), "");
  EXPECT_EQ(agreed("postgresql", "http/1.1"), "failed");
  EXPECT_EQ(agreed("", "postgresql"), "");
}

TEST_F(TlsChannelTest, IdleChannelHoldsLittleMemory) {
  constexpr std::size_t kChannels = 100;
  constexpr std::size_t kBound = 20 * 1024;
  const auto files = authority_.issue();
  const auto context = TlsContext::for_clients(
      config::ListenerTls{config::ClientTls::require, files.cert_file, files.key_file, {}}, {});
  config::BackendTls tls{SslMode::verify_full, authority_.ca_file(), "", ""};
  const auto backend_context = TlsContext::for_backend(tls, {});
  const std::string text(100'000, 'x');

  std::vector<TlsChannel> idle;
  idle.reserve(kChannels);
  std::size_t before = 0;
  for (std::size_t i = 0; i < kChannels; ++i) {
    if (i == 1) before = allocated();  // the first one pays for what OpenSSL caches
    TlsChannel there(context, Role::server, "");
    TlsChannel here(backend_context, Role::client, "localhost");
    ASSERT_EQ(shake_hands(here, there, kAll).server, Status::ok);
    ASSERT_EQ(here.write(bytes_of(text)).count, text.size());
    carry(here, there, kAll);
    Status last{};
    ASSERT_EQ(read_all(there, last).size(), text.size());
    ASSERT_EQ(there.write(bytes_of(text)).count, text.size());
    there.consumed(there.outgoing().size());
    idle.push_back(std::move(there));
  }
  const std::size_t each = (allocated() - before) / (kChannels - 1);
  RecordProperty("bytes_per_idle_channel", static_cast<int>(each));
  EXPECT_LT(each, kBound);
  EXPECT_GT(each, 1024U) << "nothing was measured";
}

}  // namespace
}  // namespace weirpool::proxy
