// One logged-in connection to a database server, with everything that stays with it through all its
// leases. Owned by a shard while idle, by a lease while lent, by a coroutine while it is washed or
// retired; always on one worker's thread.
#pragma once

#include <boost/intrusive/list.hpp>
#include <memory>
#include <utility>

#include "protocol/engine.hpp"
#include "proxy/net/deadlines.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/peer_address.hpp"
#include "proxy/net/stream.hpp"
#include "proxy/pool/busy_time.hpp"
#include "proxy/pool/pool_key.hpp"

namespace weirpool::proxy {

namespace admission {
struct FlowNode;
}

/// BackendConn::expires of one that an administrator wants closed as soon as it is free.
inline constexpr TimePoint kRecalled = TimePoint::min();

/// Cancel requests on their way to one backend. The end of a cancel connection does not prove its
/// delivery, so a backend that was ever aimed at is fenced before it is lent again.
struct CancelFence {
  unsigned in_flight = 0;
  std::uint32_t statement = 1;  ///< counts; a cancel request is for one of them, or void
  std::uint32_t queued = 0;     ///< the statement whose request waits for a connection; zero: none
  bool aimed = false;           ///< since the last fence
  bool uncertain = false;       ///< one may still arrive: no fence helps
  Signal* waiter = nullptr;     ///< notified when in_flight falls to zero

  /// What has not been sent yet will not be.
  void statement_over() { ++statement; }
};

/// A backend between two workers: no event loop knows it.
struct BackendParts {
  Stream::Parts stream;
  std::unique_ptr<protocol::BackendState> state;
  TimePoint expires{};
  TimePoint idle_since{};
  TimePoint opened{};
  PeerAddress address;
  std::uint32_t generation = 0;
};

class BackendConn;

/// Where an idle backend stands; told when it has something to say, which is never good.
class IdleHome {
 public:
  virtual void idle_backend_stirred(BackendConn& backend) = 0;

 protected:
  ~IdleHome() = default;
};

class BackendConn final : public Watcher,
                          public boost::intrusive::list_base_hook<
                              boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  BackendConn(Loop& loop, BackendParts parts)
      : stream(loop.poller, std::move(parts.stream)),
        state(std::move(parts.state)),
        fence(std::make_shared<CancelFence>()),
        expires(parts.expires),
        idle_since(parts.idle_since),
        opened(parts.opened),
        address(parts.address),
        generation(parts.generation) {}

  BackendParts take_apart() && {
    return {stream.release(), std::move(state), expires, idle_since, opened, address, generation};
  }

  void stream_ready() override {
    if (idle_home) idle_home->idle_backend_stirred(*this);
  }

  Stream stream;
  IdleHome* idle_home = nullptr;  ///< set while idle
  std::unique_ptr<protocol::BackendState> state;
  std::shared_ptr<CancelFence> fence;
  TimePoint expires;     ///< server_lifetime, jittered; max: never
  TimePoint idle_since;  ///< when it was last proven alive, by an answer
  TimePoint opened;
  PeerAddress address;       ///< of the host it was opened at
  std::uint32_t generation;  ///< BackendTarget's, when it was last found to be as it should
  TimePoint lent{};          ///< the last time
  BusyTime busy;             ///< since then
  admission::FlowNode* borrower = nullptr;  ///< whose share its time is taken from
  Clock::duration advance{};                ///< what of it was when it was lent
  bool resting = false;                     ///< lent, and its client lets it wait
  const void* client = nullptr;             ///< whose it is now, to be shown only
};

}  // namespace weirpool::proxy
