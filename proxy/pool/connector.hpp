// From a slot of the ledger to a logged-in backend, and from a backend to a freed slot. Coroutines
// on the worker's thread; whoever starts them owns the slot until they say otherwise.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "protocol/fault.hpp"
#include "proxy/metrics/counters.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/task.hpp"
#include "proxy/pool/backend_conn.hpp"
#include "proxy/pool/backend_target.hpp"
#include "proxy/pool/key_deriver.hpp"

namespace weirpool::proxy {

struct Connected {
  std::unique_ptr<BackendConn> backend;  ///< null: failed, and the server has let go of the attempt
  protocol::Fault fault = protocol::Fault::none;
  bool answered = false;               ///< failed, but the server is there: it has said why
  std::string detail;                  ///< for the log: which hop, what it said; no secrets
  std::vector<std::string> refused{};  ///< of the passwords: those the server took for wrong
};

/// What that says about the server.
ConnectPacer::Outcome outcome_of(const Connected& result);

/// Resolves, connects, starts TLS as configured, logs in. `passwords` newest first; the next is
/// tried when the server refuses one.
Task<Connected> connect_backend(Loop& loop, BackendTarget& target, PoolKey key,
                                std::vector<std::string> passwords, KeyDeriver& deriver);

/// The same at one address and nowhere else, whatever the role of its server. `name`: what its
/// certificate is held against.
Task<Connected> connect_backend_at(Loop& loop, BackendTarget& target, PoolKey key,
                                   std::vector<std::string> passwords, KeyDeriver& deriver,
                                   PeerAddress address, std::string name);

/// How a backend is sent away.
enum class Parting : std::uint8_t {
  polite,  ///< it stands at a boundary: say goodbye
  abrupt,  ///< it is in the middle of something: only the end of the stream is safe
};

/// Ends a backend and returns when the server has closed too: only then its slot is free.
Task<void> part_with(Loop& loop, std::unique_ptr<BackendConn> backend, Parting parting);

/// Asks the server to cancel what `backend` runs now, on a connection of its own. Fenced: see
/// CancelFence. While all cancel connections are taken it waits for one, up to cancel_wait_timeout
/// and no longer than the statement. Nothing happens where the dialect cannot.
Task<void> cancel_statement(Loop& loop, BackendTarget& target, const BackendConn& backend);

/// A statement to be ended on a logged-in connection; queued in its fence until it is carried out.
struct KillOrder {
  std::shared_ptr<CancelFence> fence;
  std::uint32_t statement = 0;  ///< the fence's, when it was ordered
  std::uint64_t remote_id = 0;
  PeerAddress address{};  ///< of the host that knows the id
  std::string host{};     ///< its name, where it has shown a certificate

  bool is_void() const { return fence->statement != statement; }
};
/// Carries out one order on `via`; false: `via` is of no use any more.
Task<bool> carry_out(Loop& loop, const Dialect& dialect, BackendConn& via, KillOrder order);
/// An order that nobody carries out.
void give_up(const KillOrder& order);

/// What a backend needs between two clients, beside the fence behind a cancel.
struct Washing {
  bool reset = false;  ///< to lose the state of its client
  bool check = false;  ///< to prove that it is alive
  bool role = false;   ///< to prove that its server is what was asked for

  metrics::CloseReason on_failure() const {
    if (role) return metrics::CloseReason::outdated;
    if (reset) return metrics::CloseReason::reset_failed;
    return check ? metrics::CloseReason::stale : metrics::CloseReason::fence_failed;
  }
};

/// Waits for the cancels under way, each up to cancel_wait_timeout.
Task<void> cancels_landed(BackendConn& backend);

/// Between two clients, with no cancel under way: makes the round trip of a fence or a check,
/// resets, asks for the role. True: lend it again. A server of the wrong role is distrusted.
Task<bool> wash(Loop& loop, BackendTarget& target, BackendConn& backend, Washing what);

/// Looks up again where the names of the target's hosts lead.
Task<void> refresh_names(Loop& loop, BackendTarget& target);

}  // namespace weirpool::proxy
