#include "proxy/worker.hpp"

#include <pthread.h>

#include <algorithm>

#include "config/limits.hpp"
#include "config/password.hpp"
#include "protocol/reader.hpp"
#include "proxy/log/log.hpp"
#include "proxy/net/supervise.hpp"

namespace weirpool::proxy {

Worker::Worker(unsigned index, const config::Config& config, Shared& shared,
               CancelRouter route_cancel, KillRouter route_kill)
    : index_(index),
      count_(config.workers),
      shared_(shared),
      route_cancel_(std::move(route_cancel)),
      route_kill_(std::move(route_kill)),
      stay_(loop_.io.get_executor()),
      desk_(loop_, shared.accounts, [this](const PoolKey& key) { return shard(key); }),
      ids_(config.instance_id, index, config.workers) {}

// A worker whose thread cannot be joined ends the process.
Worker::~Worker() { stop(); }  // NOLINT(bugprone-exception-escape)

void Worker::start(std::shared_ptr<const Runtime> runtime) {
  runtime_ = std::move(runtime);
  loop_.config = runtime_->config;
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), ("worker-" + std::to_string(index_)).c_str());
    supervise("sweep", sweep());
    supervise("lag", watch_lag());
    loop_.io.run();
  });
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] {
    stopping_ = true;
    sweep_wake_.notify();
    lag_wake_.notify();
    // Behind what the drain woke: that ends first.
    loop_.post([this] { loop_.io.stop(); });
  });
  thread_.join();
}

// --- messages ------------------------------------------------------------------------------------

void Worker::adopt(int fd, std::size_t site, protocol::Fault refusal) {
  session_count_.fetch_add(1, std::memory_order_relaxed);
  loop_.post([this, fd, site, refusal] {
    metrics_.accepted.add(1);
    Stream::Parts parts;
    parts.fd = fd;
    auto session = std::make_unique<Session>(*this, runtime_->sites[site], std::move(parts),
                                             next_id(), refusal);
    by_id_[session->id()] = session.get();
    supervise("session", Session::run(std::move(session)));
  });
}

void Worker::apply(std::shared_ptr<const Runtime> runtime) {
  loop_.post([this, runtime = std::move(runtime)] {
    runtime_ = runtime;
    loop_.config = runtime->config;
    const auto known = [&](const std::string& user) { return runtime->directory->names(user); };
    for (const auto& [id, session] : by_id_) session->reconsider(known);
  });
}

void Worker::begin_drain() {
  loop_.post([this] {
    draining_ = true;
    for (const auto& [key, shard] : shards_) shard->drain();
    for (const auto& [id, session] : by_id_) session->nudge();
  });
}

void Worker::set_memory(admission::MemoryState state) {
  loop_.post([this, state] {
    memory_ = state;
    for (const auto& [key, shard] : shards_) shard->set_memory(state);
  });
}

void Worker::evict_all() {
  loop_.post([this] {
    for (const auto& [id, session] : by_id_) session->evict();
  });
}

void Worker::cancel_here(std::uint32_t id, std::vector<std::uint8_t> key,
                         std::function<void()> heard) {
  loop_.post([this, id, key = std::move(key), heard = std::move(heard)] {
    const auto found = by_id_.find(id);
    if (found != by_id_.end()) found->second->cancel(key);
    heard();
  });
}

void Worker::kill_here(const protocol::KillRequest& request, const PoolKey& asker,
                       std::function<void(protocol::KillResult)> answer) {
  loop_.post([this, request, asker, answer = std::move(answer)] {
    const auto found = by_id_.find(request.id);
    answer(found == by_id_.end() ? protocol::KillResult::unknown
                                 : found->second->kill(request, asker));
  });
}

void Worker::slot_granted(const PoolKey& key) {
  loop_.post([this, key] {
    if (PoolShard* shard = find(key)) {
      shard->slot_granted();
    } else {
      key.target->ledger().closed(key);
    }
  });
}

void Worker::share_raised(const PoolKey& key) {
  loop_.post([this, key] {
    if (PoolShard* shard = find(key)) shard->share_raised();
  });
}

void Worker::give_up_idle(const PoolKey& key) {
  loop_.post([this, key] {
    if (PoolShard* shard = find(key)) shard->give_up_idle();
  });
}

void Worker::hand_over_idle(const PoolKey& key, const PoolLedger::Place& to) {
  loop_.post([this, key, to] {
    PoolShard* shard = find(key);
    std::shared_ptr<BackendParts> parts = shard ? shard->release_idle() : nullptr;
    if (parts) key.target->ledger().messenger().deliver(to, std::move(parts));
  });
}

void Worker::receive(const PoolKey& key, std::shared_ptr<BackendParts> parts) {
  loop_.post([this, key, parts = std::move(parts)] { shard(key)->receive(std::move(*parts)); });
}

// --- SessionHost ---------------------------------------------------------------------------------

std::uint32_t Worker::next_id() {
  for (;;) {
    const std::uint32_t id = ids_.next();
    if (!by_id_.contains(id)) return id;
  }
}

PoolShard* Worker::find(const PoolKey& key) {
  const auto found = shards_.find(key);
  return found == shards_.end() ? nullptr : found->second.get();
}

std::shared_ptr<PoolShard> Worker::shard(const PoolKey& key) {
  std::shared_ptr<PoolShard>& shard = shards_[key];
  if (shard) return shard;
  auto passwords = [this, key] { return read_passwords(key); };
  auto refused = [this](const std::vector<std::string>& wrong) { shared_.ring.forget(wrong); };
  shard = std::make_shared<PoolShard>(loop_, index_, key, std::move(passwords), std::move(refused),
                                      shared_.deriver, numbers_of(key));
  if (draining_) shard->drain();
  shard->set_paused(steering_->holds(key.database));
  shard->set_memory(memory_);
  return shard;
}

/// Of a user whom the configuration does not name: from the user file, or from the database.
std::vector<std::string> Worker::found_elsewhere(const PoolKey& key) const {
  std::vector<std::string> stored = runtime_->directory->stored(key.user);
  if (!stored.empty()) return stored;
  const FindingRef finding = shared_.accounts.last({key.target, key.user});
  if (finding && finding->secret) stored.push_back(finding->stored);
  return stored;
}

Task<std::vector<std::string>> Worker::read_passwords(PoolKey key) {
  const config::Snapshot config = loop_.config;
  const auto found = config->users.find(key.user);
  if (found == config->users.end()) co_return shared_.ring.usable(found_elsewhere(key));
  const config::User& account = found->second;
  const bool on_disk = !account.password.file.empty() ||
                       (account.old_password && !account.old_password->file.empty());
  if (!on_disk) co_return shared_.ring.usable(config::read_passwords(account));
  auto work = [config, &account] { return config::read_passwords(account); };
  std::vector<std::string> stored = co_await shared_.offload.run(loop_, std::move(work));
  co_return shared_.ring.usable(std::move(stored));
}

std::shared_ptr<metrics::PoolMetrics> Worker::numbers_of(const PoolKey& key) {
  const std::lock_guard lock(numbers_mutex_);
  const auto known = std::find_if(numbers_.begin(), numbers_.end(),
                                  [&](const PoolNumbers& pool) { return pool.key == key; });
  if (known != numbers_.end()) return known->metrics;
  // What a pool has counted stays when the pool goes, for counters must not fall. Databases that
  // clients only made up never had a backend.
  std::erase_if(numbers_, [](const PoolNumbers& pool) {
    return pool.metrics.use_count() == 1 && pool.metrics->connects_ok.get() == 0;
  });
  numbers_.push_back({key, std::make_shared<metrics::PoolMetrics>()});
  return numbers_.back().metrics;
}

std::vector<Worker::PoolNumbers> Worker::pools() const {
  const std::lock_guard lock(numbers_mutex_);
  return numbers_;
}

void Worker::look_up(AccountWait& wait) {
  const Directory& directory = *runtime_->directory;
  const bool in_database = !wait.target().backend().auth_user.empty();
  if (in_database && !directory.knows(wait.user())) {
    desk_.look_up(wait);
  } else {
    wait.answer(directory.account(wait.target().dialect(), wait.user()));
  }
}

std::optional<PoolKey> Worker::route(const ListenerSite& site, const protocol::Identity& identity) {
  const auto target_of = [this](const std::string& name) { return runtime_->target(name); };
  return proxy::route(*loop_.config, *site.target, target_of, identity);
}

void Worker::doubt(BackendTarget& target, const std::string& user) {
  shared_.accounts.doubt({&target, user}, Clock::now());
}

std::string Worker::probe_user() { return runtime_->directory->any_user(); }

void Worker::cancel(protocol::Bytes key, std::function<void()> heard) {
  protocol::Reader reader(key);
  const std::uint32_t id = reader.be32();
  const protocol::Bytes secret = reader.rest();
  if (!reader.ok()) return heard();
  // Another instance's client: whoever brought the request here should have taken it there.
  if (ClientIds::instance_of(id) != loop_.config->instance_id) {
    log::limited(log::Level::warn, "cancel_misrouted", "a cancel request for another instance",
                 {{"instance", std::uint64_t{ClientIds::instance_of(id)}}});
    return heard();
  }
  route_cancel_(id, {secret.begin(), secret.end()},
                [this, heard = std::move(heard)] { loop_.post(heard); });
}

void Worker::kill(const protocol::KillRequest& request, const PoolKey& asker,
                  std::function<void(protocol::KillResult)> answer) {
  route_kill_(request, asker, [this, answer = std::move(answer)](protocol::KillResult result) {
    loop_.post([answer, result] { answer(result); });
  });
}

void Worker::left(Session& session) {
  by_id_.erase(session.id());
  session_count_.fetch_sub(1, std::memory_order_relaxed);
  shared_.population.clients.fetch_sub(1, std::memory_order_relaxed);
}

/// One worker does it for all.
void Worker::look_up_names() {
  const config::Duration ttl = loop_.config->timeouts.dns_max_ttl;
  const TimePoint now = Clock::now();
  if (ttl.count() == 0 || now - names_looked_up_ < ttl) return;
  names_looked_up_ = now;
  for (const auto& [name, target] : runtime_->targets) {
    supervise("names", refresh_names(loop_, *target));
  }
}

/// Begins late where the thread does, and must not take that for a loop that is behind.
Task<void> Worker::watch_lag() {
  Deadline deadline(loop_.deadlines, lag_wake_);
  lag_.begin(Clock::now());
  while (!stopping_) {
    if (loop_.config->limits.loop_lag_high.count() == 0) {
      // Only in case a reload wants it.
      deadline.arm_in(config::kSweepInterval);
      co_await lag_wake_.wait();
      lag_.begin(Clock::now());
      continue;
    }
    deadline.arm(lag_.due());
    co_await lag_wake_.wait();
    const auto lag = lag_.look(Clock::now(), loop_.config->limits.loop_lag_high);
    metrics_.loop_lag.observe(admission::seconds(lag));
  }
}

/// Each worker sees to some of them.
void Worker::keep_standing() {
  for (std::size_t i = index_; i < runtime_->standing.size(); i += count_) {
    shard(runtime_->standing[i]);
  }
}

Task<void> Worker::sweep() {
  Deadline deadline(loop_.deadlines, sweep_wake_);
  while (!stopping_) {
    keep_standing();
    beat_.store(Clock::now().time_since_epoch().count());
    for (const auto& [key, shard] : shards_) shard->sweep();
    for (const auto& [id, session] : by_id_) session->sweep(Clock::now());
    if (index_ == 0) look_up_names();
    std::erase_if(shards_, [](const auto& entry) {
      return entry.second.use_count() == 1 && entry.second->unused();
    });
    deadline.arm_in(config::kSweepInterval);
    co_await sweep_wake_.wait();
  }
}

}  // namespace weirpool::proxy
