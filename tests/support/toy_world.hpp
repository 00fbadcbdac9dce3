// Weirpool's core around one toy server, everything but the server on the test's own thread: what
// happens, happens inside turn(). Shards of several workers share the one loop, so that what passes
// between workers is as deterministic as the rest.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/net/listener.hpp"
#include "proxy/net/supervise.hpp"
#include "proxy/pool/key_ring.hpp"
#include "proxy/session/session.hpp"
#include "tests/support/toy_dialect.hpp"
#include "tests/support/toy_server.hpp"

namespace weirpool::test {

/// Bounds no test reaches by accident, and timeouts that only pass where a test sets them.
inline config::Config toy_config(std::uint16_t server_port, std::uint32_t max_connections,
                                 config::TargetSession wanted = config::TargetSession::any,
                                 const std::vector<config::Address>& others = {}) {
  config::Config made;
  made.workers = 1;
  config::Backend backend;
  backend.name = "shop";
  backend.address.host = "127.0.0.1";
  backend.address.port = server_port;
  backend.address.others = others;
  backend.max_connections = max_connections;
  backend.target_session_attrs = wanted;
  backend.tls.mode = config::SslMode::disable;
  made.backends[backend.name] = backend;
  config::Listener listener;
  listener.address = {"127.0.0.1", 0};
  listener.backend = backend.name;
  made.listeners.push_back(listener);
  for (const std::string name : {"app", "batch"}) {
    made.users[name].name = name;
    made.users[name].password.value = config::Secret("secret");
  }
  made.limits.max_client_conn = 1000;
  made.limits.max_login_conn = 1000;
  made.limits.max_waiting_clients = 1000;
  made.limits.max_connecting = 1000;
  made.limits.connect_rate = 100'000;
  made.limits.max_cancel_connections = 8;
  made.timeouts.reset_timeout = kPatience;
  made.timeouts.cancel_wait_timeout = kPatience;
  made.timeouts.server_check_delay = kPatience;
  made.timeouts.connect_backoff_min = config::Duration(1);
  made.timeouts.connect_backoff_max = config::Duration(20);
  made.timeouts.failover_hold = config::Duration(60'000);
  made.timeouts.fd_retry_delay = config::Duration(1);
  made.tcp.backlog = 128;
  return made;
}

class ToyWorld final : public proxy::SessionHost {
 public:
  explicit ToyWorld(std::uint32_t max_connections,
                    config::TargetSession wanted = config::TargetSession::any,
                    bool kills_by_login = false, const std::vector<config::Address>& others = {})
      : dialect(kills_by_login),
        config(toy_config(server.port(), max_connections, wanted, others)),
        target(config.backends.at("shop"), dialect),
        stay_(loop_.io.get_executor()) {
    target.ledger().set_messenger(messenger());
    target.arbiter().set_messenger([this](const Place& to) { post_share_raised(to); });
    apply();
    auto accepted = [this](int fd) { adopt(fd); };
    listener_ =
        std::make_unique<proxy::Listener>(loop_.io, config::Address{"127.0.0.1", 0}, config.tcp,
                                          config.timeouts.fd_retry_delay, accepted);
    listener_->start();
  }

  ~ToyWorld() {
    server.answer_logins({});
    server.hold_closes(false);
    server.hold_cancels(false);
    server.stop();
    hold_grants = false;
    deliver_grants();
    listener_->close();
    draining_ = true;
    for (const auto& [id, session] : sessions_) session->evict();
    for (const auto& shard : shards_) shard->drain();
    until([this] { return sessions_.empty() && all_unused(); });
  }

  /// Makes `config` what everybody works by.
  void apply() { loop_.config = std::make_shared<const config::Config>(config); }

  void turn() { loop_.io.run_one_for(std::chrono::milliseconds(5)); }
  /// Only what is due now.
  void spin() { loop_.io.poll(); }
  /// Turns until `holds`; false: patience is over.
  bool until(const std::function<bool()>& holds) {
    return eventually(holds, [this] { turn(); });
  }
  /// Turns until nothing has happened for a while that is long beside a round trip on loopback.
  void settle() {
    while (loop_.io.run_one_for(std::chrono::milliseconds(50)) > 0) {
    }
  }

  ToyClient client(int receive_buffer = 0) {
    return ToyClient(
        listener_->port(), [this] { turn(); }, receive_buffer);
  }
  ToyClient logged_in(const std::string& user = "app", const std::string& database = "shop") {
    ToyClient made = client();
    made.log_in(user, database);
    return made;
  }

  proxy::PoolKey key(const std::string& database = "shop", const std::string& user = "app") {
    return {&target, database, user, 0};
  }
  /// The part of this pool that belongs to `worker`; sessions are worker 0.
  proxy::PoolShard& shard_of(unsigned worker, const proxy::PoolKey& key) {
    return *find_or_make({worker, key});
  }
  proxy::PoolShard& pool(const std::string& database = "shop", const std::string& user = "app") {
    return shard_of(0, key(database, user));
  }
  std::int64_t clients(metrics::ClientState state) const {
    return metrics_.clients[static_cast<std::size_t>(state)].get();
  }
  std::uint64_t closed(proxy::PoolShard& shard, metrics::CloseReason reason) const {
    return shard.metrics().closed[static_cast<std::size_t>(reason)].get();
  }
  std::size_t sessions() const { return sessions_.size(); }
  bool all_unused() const {
    return std::all_of(shards_.begin(), shards_.end(),
                       [](const auto& shard) { return shard->unused(); });
  }
  /// What a worker does at begin_drain.
  void begin_drain() {
    draining_ = true;
    for (const auto& shard : shards_) shard->drain();
    for (const auto& [id, session] : sessions_) session->nudge();
  }
  void evict_all() {
    for (const auto& [id, session] : sessions_) session->evict();
  }
  /// While hold_grants, slots the ledger grants stay on their way.
  void deliver_grants() {
    for (const proxy::PoolLedger::Place& to : std::exchange(grants_, {})) post_grant(to);
  }
  std::size_t grants_held() const { return grants_.size(); }

  // SessionHost.
  proxy::Loop& loop() override { return loop_; }
  metrics::WorkerMetrics& metrics() override { return metrics_; }
  std::shared_ptr<proxy::PoolShard> shard(const proxy::PoolKey& key) override {
    return find_or_make({0, key});
  }
  proxy::KeyDeriver& deriver() override { return key_deriver; }
  proxy::Offload& handshakes() override { return offload; }
  proxy::Ruling rule(const proxy::BackendTarget&, const config::Arrival& arrival,
                     const proxy::TlsChannel*) override {
    arrived.push_back(arrival.address);
    return ruling;
  }
  void look_up(proxy::AccountWait& wait) override {
    if (hold_look_ups) {
      held_look_ups.push_back(wait);
    } else {
      wait.answer(account_of(wait.user()), look_up_fault);
    }
  }
  void reveal(const protocol::Revealed& revealed) override { ring.remember(revealed); }
  void doubt(proxy::BackendTarget&, const std::string& user) override { doubted.push_back(user); }
  std::string probe_user() override { return config.users.begin()->first; }

  protocol::Account account_of(const std::string& user) {
    return {config.users.contains(user) ? dialect.prepare(user, {"secret"}) : nullptr};
  }
  std::optional<proxy::PoolKey> route(const proxy::ListenerSite& site,
                                      const protocol::Identity& identity) override {
    const auto target_of = [this](const std::string& name) {
      return name == target.backend().name ? &target : nullptr;
    };
    return proxy::route(*loop_.config, *site.target, target_of, identity);
  }
  proxy::Census& census() override { return census_; }
  void cancel(protocol::Bytes key, std::function<void()> heard) override {
    std::uint32_t id = 0;
    for (std::size_t i = 0; i < 4; ++i) id = id << 8U | key[i];
    if (const auto found = sessions_.find(id); found != sessions_.end()) {
      found->second->cancel(key.subspan(4));
    }
    loop_.post(std::move(heard));
  }
  void kill(const protocol::KillRequest& request, const proxy::PoolKey& asker,
            std::function<void(protocol::KillResult)> answer) override {
    loop_.post([this, request, asker, answer = std::move(answer)] {
      const auto found = sessions_.find(request.id);
      answer(found == sessions_.end() ? protocol::KillResult::unknown
                                      : found->second->kill(request, asker));
    });
  }
  bool draining() const override { return draining_; }
  void ask_console(const protocol::console::Request& request,
                   std::shared_ptr<proxy::ConsoleCall> call) override {
    console_requests.push_back(request);
    console_calls.push_back(std::move(call));
  }
  /// What Control would do with the oldest question.
  void answer_console(protocol::console::Answer answer) {
    const auto call = console_calls.front();
    console_calls.erase(console_calls.begin());
    call->answer = std::move(answer);
    call->answered = true;
    if (call->waiter) call->waiter->notify_later(loop_.ready);
  }
  bool may_use_console(const std::string& user) const override { return user == "app"; }
  bool suspended() const override { return standing_still; }
  bool disabled(const std::string& database) const override {
    return disabled_databases.contains(database);
  }
  /// What a worker does at SUSPEND and RESUME.
  void stand_still(bool still) {
    standing_still = still;
    for (const auto& [id, session] : sessions_) session->nudge();
  }
  proxy::Session& session_of(std::uint32_t id) { return *sessions_.at(id); }
  void login_over() override { ++logins_over; }
  void login_again() override { ++logins_again; }
  void left(proxy::Session& session) override { sessions_.erase(session.id()); }

  ToyServer server;
  ToyDialect dialect;
  config::Config config;
  proxy::BackendTarget target;
  proxy::Offload offload;
  proxy::KeyDeriver key_deriver{offload};
  proxy::KeyRing ring;
  proxy::Ruling ruling;                  ///< for everybody
  std::vector<config::IpBytes> arrived;  ///< whom the rules were asked about
  protocol::Fault look_up_fault = protocol::Fault::none;
  bool hold_look_ups = false;
  boost::intrusive::list<proxy::AccountWait, boost::intrusive::constant_time_size<false>>
      held_look_ups;
  std::vector<std::string> doubted;
  std::vector<std::string> passwords{"secret"};
  std::vector<std::string> refused;                 ///< passwords that a shard says are wrong
  protocol::Fault refusal = protocol::Fault::none;  ///< for clients that come from now on
  int client_send_buffer = 0;  ///< bytes of SO_SNDBUF towards clients; zero: the kernel's choice
  std::vector<config::Network> proxy_networks;  ///< for clients that come from now on
  bool hold_grants = false;
  bool standing_still = false;  ///< SUSPEND
  unsigned logins_over = 0;
  unsigned logins_again = 0;
  std::vector<protocol::console::Request> console_requests;
  std::vector<std::shared_ptr<proxy::ConsoleCall>> console_calls;
  std::set<std::string> disabled_databases;

 private:
  static proxy::Task<std::vector<std::string>> now(std::vector<std::string> passwords) {
    co_return passwords;
  }

  using Place = proxy::PoolLedger::Place;

  void adopt(int fd) {
    if (client_send_buffer > 0) {
      ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &client_send_buffer, sizeof client_send_buffer);
    }
    auto site = std::make_shared<proxy::ListenerSite>();
    site->target = &target;
    site->proxy_networks = proxy_networks;
    proxy::Stream::Parts parts;
    parts.fd = fd;
    auto session = std::make_unique<proxy::Session>(*this, std::move(site), std::move(parts),
                                                    ++last_id_, refusal);
    sessions_[session->id()] = session.get();
    proxy::supervise("session", proxy::Session::run(std::move(session)));
  }

  std::shared_ptr<proxy::PoolShard> find(const Place& place) {
    const auto found = std::find_if(shards_.begin(), shards_.end(), [&](const auto& shard) {
      return shard->key() == place.key && workers_.at(shard.get()) == place.worker;
    });
    return found == shards_.end() ? nullptr : *found;
  }

  std::shared_ptr<proxy::PoolShard> find_or_make(const Place& place) {
    if (auto found = find(place)) return found;
    auto made = std::make_shared<proxy::PoolShard>(
        loop_, place.worker, place.key, [this] { return now(passwords); },
        [this](const std::vector<std::string>& wrong) {
          refused.insert(refused.end(), wrong.begin(), wrong.end());
        },
        key_deriver, std::make_shared<metrics::PoolMetrics>());
    if (draining_) made->drain();
    workers_[made.get()] = place.worker;
    shards_.push_back(made);
    return made;
  }

  void post_share_raised(const Place& to) {
    loop_.post([this, to] {
      if (auto shard = find(to)) shard->share_raised();
    });
  }

  void post_grant(const Place& to) {
    loop_.post([this, to] { find_or_make(to)->slot_granted(); });
  }

  proxy::PoolLedger::Messenger messenger() {
    proxy::PoolLedger::Messenger made;
    made.slot_granted = [this](const Place& to) {
      hold_grants ? grants_.push_back(to) : post_grant(to);
    };
    made.give_up_idle = [this](const Place& from) {
      loop_.post([this, from] { find_or_make(from)->give_up_idle(); });
    };
    made.hand_over_idle = [this](const Place& from, const Place& to) {
      loop_.post([this, from, to] {
        std::shared_ptr<proxy::BackendParts> parts = find_or_make(from)->release_idle();
        if (parts) target.ledger().messenger().deliver(to, std::move(parts));
      });
    };
    made.deliver = [this](const Place& to, std::shared_ptr<proxy::BackendParts> parts) {
      loop_.post(
          [this, to, parts = std::move(parts)] { find_or_make(to)->receive(std::move(*parts)); });
    };
    return made;
  }

  proxy::Census census_;
  proxy::Loop loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> stay_;
  metrics::WorkerMetrics metrics_;
  std::vector<std::shared_ptr<proxy::PoolShard>> shards_;
  std::unordered_map<proxy::PoolShard*, unsigned> workers_;
  std::map<std::uint32_t, proxy::Session*> sessions_;
  std::uint32_t last_id_ = 0;
  std::vector<Place> grants_;
  std::unique_ptr<proxy::Listener> listener_;
  bool draining_ = false;
};

}  // namespace weirpool::test
