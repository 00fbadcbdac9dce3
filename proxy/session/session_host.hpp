// What a session needs of the worker it lives on.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/hba.hpp"
#include "config/network.hpp"
#include "protocol/console.hpp"
#include "protocol/engine.hpp"
#include "proxy/metrics/counters.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/tls_context.hpp"
#include "proxy/pool/pool_shard.hpp"
#include "proxy/session/account_wait.hpp"
#include "proxy/session/census.hpp"

namespace weirpool::proxy {

/// One listener as its sessions see it; replaced at reload.
struct ListenerSite {
  BackendTarget* target = nullptr;
  std::string address;                    ///< as the configuration has it
  std::shared_ptr<const TlsContext> tls;  ///< null: no TLS offered
  bool tls_required = false;
  std::vector<config::Network> proxy_networks;  ///< where a PROXY protocol header must come from

  bool behind_proxy(const config::IpBytes& peer) const {
    return std::any_of(proxy_networks.begin(), proxy_networks.end(),
                       [&](const config::Network& network) { return network.contains(peer); });
  }
};

/// What the rules say about a client that has given its name; the user need not exist.
struct Ruling {
  protocol::Fault refusal = protocol::Fault::none;
  protocol::Proof proof = protocol::Proof::by_secret;
  std::string_view detail{};  ///< why it is refused; static
};

class Session;

/// A question to the console that is being answered; its worker's thread only.
struct ConsoleCall {
  protocol::console::Answer answer;
  bool answered = false;
  Signal* waiter = nullptr;  ///< null: nobody is interested any more
};

class SessionHost {
 public:
  virtual Loop& loop() = 0;
  virtual metrics::WorkerMetrics& metrics() = 0;
  virtual KeyDeriver& deriver() = 0;
  /// Where the mathematics of TLS handshakes is done.
  virtual Offload& handshakes() = 0;
  /// The shard of this pool on this worker, made when first asked for.
  virtual std::shared_ptr<PoolShard> shard(const PoolKey& key) = 0;
  /// Where a client that has come by `site` and says who it is belongs; nothing: nowhere.
  virtual std::optional<PoolKey> route(const ListenerSite& site,
                                       const protocol::Identity& identity) = 0;
  virtual Census& census() = 0;
  /// `tls` null: the client is not encrypted.
  virtual Ruling rule(const BackendTarget& target, const config::Arrival& arrival,
                      const TlsChannel* tls) = 0;
  /// Answers `wait`, at once or when the database has.
  virtual void look_up(AccountWait& wait) = 0;
  /// A client's login has shown what stands behind a verifier.
  virtual void reveal(const protocol::Revealed& revealed) = 0;
  /// What is remembered about `user` did not fit: it may have changed in the database.
  virtual void doubt(BackendTarget& target, const std::string& user) = 0;
  /// The user that asks a backend for its greeting before any client has a name.
  virtual std::string probe_user() = 0;
  /// Finds the session of a cancel key, on whatever worker, and cancels its statement; `heard` is
  /// called on this worker's thread when it has been told, or does not exist.
  virtual void cancel(protocol::Bytes key, std::function<void()> heard) = 0;
  /// Finds that session, on whatever worker, and does to it what is asked; `answer` is called on
  /// this worker's thread. `asker`: whose pool the asking session uses.
  virtual void kill(const protocol::KillRequest& request, const PoolKey& asker,
                    std::function<void(protocol::KillResult)> answer) = 0;
  virtual bool draining() const = 0;
  /// Answers `request` in its own time.
  virtual void ask_console(const protocol::console::Request& request,
                           std::shared_ptr<ConsoleCall> call) = 0;
  virtual bool may_use_console(const std::string& user) const = 0;
  /// An administrator has everything stand still: what has been read goes on its way, nothing more
  /// is read. Sessions are nudged when that is over.
  virtual bool suspended() const = 0;
  /// An administrator lets nobody into this database.
  virtual bool disabled(const std::string& database) const = 0;
  /// The login is over, well or not: its place among the logins is free.
  virtual void login_over() = 0;
  /// A client logs in once more, within its session.
  virtual void login_again() = 0;
  /// The session is about to be destroyed.
  virtual void left(Session& session) = 0;

 protected:
  ~SessionHost() = default;
};

}  // namespace weirpool::proxy
