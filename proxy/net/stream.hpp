// A socket, with or without TLS and compression, that never blocks: read and write now, or wait for
// readiness. Owned and used by one worker's thread; release() takes it apart so that another worker
// can put it together again.
#pragma once

#include <memory>

#include "protocol/bytes.hpp"
#include "protocol/codec.hpp"
#include "proxy/net/poller.hpp"
#include "proxy/net/silence.hpp"
#include "proxy/net/tls_channel.hpp"

namespace weirpool::proxy {

/// Whoever waits for a stream's readiness; called from the event loop.
class Watcher {
 public:
  virtual void stream_ready() = 0;

 protected:
  ~Watcher() = default;
};

struct Io {
  enum class Kind : std::uint8_t { moved, blocked, eof, failed };
  Kind kind;
  std::size_t count;  ///< moved: bytes, more than zero
};

class Stream {
 public:
  struct Parts {
    int fd = -1;
    std::unique_ptr<TlsChannel> tls;
    std::unique_ptr<protocol::Codec> codec{};
  };

  /// Takes over `parts.fd`, which must be non-blocking. `poller` outlives the stream.
  Stream(Poller& poller, Parts parts);
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) = delete;
  ~Stream();

  /// Who is told from now on; null: nobody.
  void watch(Watcher* watcher);
  /// Ask to be told when reading, or writing, will not block; once per call.
  void arm_read();
  void arm_write();
  /// False while a read is known to block.
  bool may_read() const;

  Io read_some(protocol::MutableBytes into);
  Io write_some(protocol::Bytes from);
  /// Ciphertext or frames still to be written; without TLS and codec always false.
  bool unsent() const { return (tls_ || codec_) && unsent_inside(); }
  /// Writes what unsent() speaks of; moved when nothing is left.
  Io flush();

  /// After this, bytes are TLS. Plaintext must neither be buffered nor unsent.
  void start_tls(std::unique_ptr<TlsChannel> channel);
  /// moved: established; blocked: arm_read and call again.
  Io handshake();
  /// For a step of the handshake on another thread; start_tls() puts it back, and until then
  /// nothing is read or written.
  std::unique_ptr<TlsChannel> lend_tls() { return std::move(tls_); }
  /// What goes with a step that has been done: what it put out is written, and if it needs input,
  /// what has come is taken in. moved: established, or time for the next one; blocked: arm_read,
  /// arm_write if unsent(), and call again.
  Io carry(TlsChannel::Status step);
  bool encrypted() const { return tls_ != nullptr; }
  /// Null: the bytes are plain.
  const TlsChannel* tls() const { return tls_.get(); }

  /// After this, bytes go through `codec`, inside TLS where there is TLS. Nothing must be unsent,
  /// and nothing that has been read be unused.
  void start_codec(std::unique_ptr<protocol::Codec> codec);

  /// Bytes have left the socket but not this stream.
  bool buffered() const {
    return (tls_ && tls_->has_pending_plaintext()) || (codec_ && codec_->has_pending_input());
  }
  /// The peer has closed, or is gone; there may be something to read nevertheless.
  bool ending() const;
  /// The peer has closed and left nothing to read. Costs a system call only if it has closed.
  bool ended() const;
  /// Nothing to read: neither bytes nor an end. Costs one system call.
  bool quiet() const;
  /// Throws away what has come, undecrypted and as much as one read brings.
  Io discard();
  /// For how long the peer has answered nothing that was sent to it, the kernel's own probes of a
  /// full window included: zero for a live one, however slowly it reads. See Silence; costs one
  /// system call.
  Clock::duration silence(TimePoint now);
  /// The peer counts as gone: the watcher hears of an end.
  void give_up();
  /// Sends the end of stream; reading goes on.
  void shut_down_write();
  Parts release();
  int fd() const;

 private:
  struct Watch;
  Io receive(protocol::MutableBytes into);
  Io transmit(protocol::Bytes from);
  Io read_tls(protocol::MutableBytes into);
  Io read_codec(protocol::MutableBytes into);
  Io read_plain(protocol::MutableBytes into) { return tls_ ? read_tls(into) : receive(into); }
  Io write_tls(protocol::Bytes from);
  Io flush_tls();
  bool unsent_inside() const;
  void close() noexcept;

  std::unique_ptr<Watch> watch_;
  std::unique_ptr<TlsChannel> tls_;
  std::unique_ptr<protocol::Codec> codec_;
  Silence silence_;
};

}  // namespace weirpool::proxy
