// Drives an engine that talks to one backend alone: logins, resets, pings. Flushes what the engine
// sends, reads what it needs, and stops at every verdict that is not about bytes.
#pragma once

#include <vector>

#include "protocol/engine.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/stream.hpp"
#include "proxy/net/task.hpp"

namespace weirpool::proxy {

class Exchange final : public Watcher {
 public:
  /// The stream is watched from here on; `deadline` must notify signal().
  Exchange(Loop& loop, Stream& stream);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Runs until done, close, derive, start_tls or start_codec. A lost stream is
  /// close(backend_unavailable), a verdict that makes no sense here close(backend_violation).
  Task<protocol::Verdict> run(protocol::Engine& engine, TimePoint until);
  /// TLS on the stream; false: failed, see the channel's error.
  Task<bool> start_tls(std::unique_ptr<TlsChannel> channel, TimePoint until);
  /// Waits until the stream may be written: a connect has been decided.
  Task<bool> connected(TimePoint until);
  /// Reads and drops until the peer has closed. Ends only with that, however long it takes.
  Task<void> drain_to_end();
  /// The same, but only until then. False: it has not closed, or the connection broke.
  Task<bool> await_end(TimePoint until);

  /// Bytes nobody consumed. At a boundary there must be none.
  bool leftover() const { return !in_.empty(); }
  bool timed_out() const { return deadline_.passed(); }

  void stream_ready() override { signal_.notify(); }

 private:
  Task<bool> flush();
  Task<bool> read_more();
  Task<bool> drop_until_end();

  Loop& loop_;
  Stream& stream_;
  Signal signal_;
  Deadline deadline_;
  std::vector<std::uint8_t> in_;
  protocol::Writer out_;
};

}  // namespace weirpool::proxy
