// TLS as a filter over bytes. It owns no socket: the caller moves ciphertext between the socket and
// the channel, so the same relay loop serves plain and encrypted streams, and a channel moves
// between threads together with its file descriptor.
//
//   socket --feed()--> [ input ] --SSL--> read()   --> plain bytes
//   socket <--outgoing()/consumed()-- [ output ] <--SSL-- write() <-- plain bytes
//
// One thread at a time. No call blocks, throws for what a peer sends, or keeps memory for an idle
// connection beyond OpenSSL's own state (about 16 KB): both buffers are given back when drained.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/bytes.hpp"
#include "proxy/net/tls_context.hpp"

namespace weirpool::proxy {

class TlsChannel {
 public:
  enum class Role : std::uint8_t { server, client };
  enum class Status : std::uint8_t {
    ok,
    need_input,  ///< nothing more to do before feed() (write: before consumed())
    closed,      ///< the peer said close_notify: the end of its stream is authentic
    failed,      ///< for good; error() says why, outgoing() may hold an alert worth sending
  };
  struct Outcome {
    Status status;
    std::size_t count;  ///< plain bytes
  };

  /// write() refuses while more ciphertext than this waits to be sent, bytes.
  static constexpr std::size_t kOutgoingLimit = 64 * 1024;

  /// `peer_name`: client role only, the host as configured, a name or an IP address. Sent as SNI
  /// unless it is an address (RFC 6066, section 3); checked against the certificate when the
  /// context verifies hosts.
  TlsChannel(std::shared_ptr<const TlsContext> context, Role role, const std::string& peer_name);
  TlsChannel(TlsChannel&&) noexcept = default;
  TlsChannel& operator=(TlsChannel&&) noexcept;
  ~TlsChannel() = default;

  /// Advances the handshake with what has been fed; ok once finished. Send outgoing() after every
  /// call, whatever it returned.
  Status handshake();

  /// Takes over `ciphertext` from the socket (copied).
  void feed(protocol::Bytes ciphertext);

  /// Decrypts into `plain`. Call until need_input; it may leave something in outgoing().
  Outcome read(protocol::MutableBytes plain);

  /// Encrypts all of `plain` or, while outgoing() exceeds kOutgoingLimit, nothing.
  Outcome write(protocol::Bytes plain);

  /// Ciphertext to send; valid until consumed(), write(), handshake(), read() or shutdown().
  protocol::Bytes outgoing() const;
  /// The socket accepted the first `count` bytes of outgoing().
  void consumed(std::size_t count);

  /// A read() could succeed although the socket has nothing: ask before waiting for readiness.
  bool has_pending_plaintext() const;

  /// As given to the constructor; empty in the server role.
  const std::string& peer_name() const { return peer_name_; }

  // After the handshake.
  /// Hash of the certificate that the server side of this channel has shown, for
  /// tls-server-end-point (RFC 5929, section 4.1); empty: its signature has no single hash.
  std::vector<std::uint8_t> end_point() const;
  /// The application protocol agreed on; empty: none.
  std::string_view application() const;
  /// The common name in the peer's certificate, which is trusted; no value: it has shown none, or
  /// one without exactly one plain common name.
  std::optional<std::string> peer_common_name() const;
  /// The peer has shown a certificate, and it is trusted.
  bool peer_is_trusted() const;

  /// Queues close_notify; nothing can be written afterwards.
  void shutdown();

  /// Why it failed, without secrets; empty before.
  std::string_view error() const { return error_; }

 private:
  struct Wire;
  struct FreeWire {
    void operator()(Wire* wire) const;
  };
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  bool attach_wire();
  bool expect_peer(const std::string& peer_name);
  Status fail(std::string_view reason);
  /// Maps what SSL_* returned; `result` <= 0.
  Status status_of(int result);

  std::shared_ptr<const TlsContext> context_;
  std::unique_ptr<Wire, FreeWire> wire_;  // outlives ssl_, whose BIO points to it
  std::unique_ptr<SSL, FreeSsl> ssl_;
  std::string error_;
  std::string peer_name_;
  Role role_;
  bool finished_ = false;  // the handshake has
  bool failed_ = false;
};

}  // namespace weirpool::proxy
