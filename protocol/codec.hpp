// What may lie between the bytes on a connection and the bytes an engine sees: compression, made by
// the engine that negotiated it and driven by whoever owns the socket, as TLS is. It owns no socket
// and never blocks; one thread at a time.
//
//   wire --feed()--> [ input ] --read()--> plain bytes
//   wire <--outgoing()/consumed()-- [ output ] <--write()-- plain bytes
#pragma once

#include <cstddef>
#include <cstdint>

#include "protocol/bytes.hpp"

namespace weirpool::protocol {

class Codec {
 public:
  enum class Status : std::uint8_t {
    ok,
    need_input,  ///< nothing more to read before feed()
    failed,      ///< for good: the peer's bytes are none of this codec
  };
  struct Outcome {
    Status status;
    std::size_t count;  ///< plain bytes
  };

  virtual ~Codec() = default;

  /// Takes over bytes that came (copied).
  virtual void feed(Bytes wire) = 0;
  /// Decodes into `plain`, which is not empty. Call until need_input.
  virtual Outcome read(MutableBytes plain) = 0;
  /// A read() could succeed without feed(): ask before waiting for readiness.
  virtual bool has_pending_input() const = 0;

  /// Encodes all of `plain`.
  virtual void write(Bytes plain) = 0;
  /// What is to be sent; valid until consumed() or write().
  virtual Bytes outgoing() const = 0;
  /// The first `count` bytes of outgoing() have been sent.
  virtual void consumed(std::size_t count) = 0;
};

}  // namespace weirpool::protocol
