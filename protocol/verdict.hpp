// The one vocabulary between engines, which know what bytes mean, and the proxy, which waits.
//
// The proxy calls engine.step(from, unread) with the bytes of one party that nobody has consumed
// yet and does what the verdict says, then calls step again with what is left (possibly nothing),
// until the verdict is need or hold. Rules both sides rely on:
//
//  * need n:     not understood before at least n bytes of this party are unread (n > unread.size()
//                and n <= kMaxNeed). Longer messages are skipped into the engine piecewise.
//  * hold:       leave this party's bytes alone until the other party has moved. The proxy stops
//                reading from it once its chunk is full.
//  * forward n:  pass the next n bytes of this party on to the other one; n may exceed what has
//  been
//                read, the rest streams through without the engine. Rewriting in place before
//                forwarding is allowed within `unread`.
//  * skip n:     drop the next n bytes of this party; n may exceed what has been read.
//  * send:       put `bytes` into the stream towards `to`, behind everything already forwarded or
//                sent there; consumes nothing. `bytes` are valid until the next step(). An engine
//                never sends to a party while a forward towards it is unfinished.
//  * start_tls:  everything sent so far must be flushed, then TLS starts with this party.
//  * start_codec: BackendLogin: from here on bytes go through take_codec(), both ways.
//  * look_up:    ClientLogin: the directory answers through answer().
//  * derive:     login: a key is to be made off the I/O thread, see KeyDerivation; derived()
//  follows.
//  * learn:      ClientLogin: the backend's greeting facts are needed; answered through learned().
//  * cancel:     ClientLogin: this connection only carries a cancel key, in `bytes`; close it.
//  * kill:       Conversation: another session's statement, or that session, is to be ended as
//                kill_request() says; killed() follows.
//  * lease:      Conversation: no further without a backend; attach() follows, or refuse().
//  * release:    Conversation: the backend stands at a proven boundary and is not needed; detach()
//                follows.
//  * log_in:     Conversation: the client wants to become somebody else. The backend is not needed
//                any more; take_login() is the engine that goes on with what is unread.
//  * done:       login: finished. Conversation: the client said goodbye at a boundary or inside
//                whatever it left behind; at_boundary() tells.
//  * close:      end the session with `fault`; unless a message towards the client is half written
//                the proxy writes it first.
#pragma once

#include <cstdint>

#include "protocol/bytes.hpp"
#include "protocol/fault.hpp"

namespace weirpool::protocol {

enum class Party : std::uint8_t { client, backend };

constexpr Party other(Party party) {
  return party == Party::client ? Party::backend : Party::client;
}

/// The most an engine may ask to see at once, bytes; every chunk has room for it.
inline constexpr std::size_t kMaxNeed = 4096;

struct Verdict {
  enum class Kind : std::uint8_t {
    need,
    hold,
    forward,
    skip,
    send,
    start_tls,
    start_codec,
    look_up,
    derive,
    learn,
    cancel,
    kill,
    lease,
    release,
    log_in,
    done,
    close,
  };

  Kind kind = Kind::need;
  Party to = Party::client;   ///< send: to whom
  Fault fault = Fault::none;  ///< close: what to tell the client
  std::uint64_t count = 0;    ///< need, forward, skip: bytes
  Bytes bytes{};              ///< send, cancel: valid until the next step()

  static Verdict need(std::uint64_t n) { return {Kind::need, {}, {}, n, {}}; }
  static Verdict hold() { return {Kind::hold, {}, {}, 0, {}}; }
  static Verdict forward(std::uint64_t n) { return {Kind::forward, {}, {}, n, {}}; }
  static Verdict skip(std::uint64_t n) { return {Kind::skip, {}, {}, n, {}}; }
  static Verdict send(Party to, Bytes b) { return {Kind::send, to, {}, 0, b}; }
  static Verdict start_tls() { return {Kind::start_tls, {}, {}, 0, {}}; }
  static Verdict start_codec() { return {Kind::start_codec, {}, {}, 0, {}}; }
  static Verdict look_up() { return {Kind::look_up, {}, {}, 0, {}}; }
  static Verdict derive() { return {Kind::derive, {}, {}, 0, {}}; }
  static Verdict learn() { return {Kind::learn, {}, {}, 0, {}}; }
  static Verdict cancel(Bytes key) { return {Kind::cancel, {}, {}, 0, key}; }
  static Verdict kill() { return {Kind::kill, {}, {}, 0, {}}; }
  static Verdict lease() { return {Kind::lease, {}, {}, 0, {}}; }
  static Verdict release() { return {Kind::release, {}, {}, 0, {}}; }
  static Verdict log_in() { return {Kind::log_in, {}, {}, 0, {}}; }
  static Verdict done() { return {Kind::done, {}, {}, 0, {}}; }
  static Verdict close(Fault fault) { return {Kind::close, {}, fault, 0, {}}; }
};

}  // namespace weirpool::protocol
