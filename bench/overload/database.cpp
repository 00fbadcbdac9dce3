#include "bench/overload/database.hpp"

#include <algorithm>
#include <utility>

namespace weirpool::bench {

namespace {

constexpr Micros kSecond = 1'000'000;

void raise(std::uint64_t& peak, std::uint64_t value) { peak = std::max(peak, value); }

}  // namespace

Database::Database(Loop& loop, const Settings& settings)
    : loop_(loop), knobs_{{"service_us", 20000}, {"spread", 1},        {"alpha", 0}, {"beta", 0},
                          {"connect_us", 2000},  {"connections", 100}, {"hold", 0}} {
  for (auto& [key, value] : knobs_) value = number(settings, key, value);
  forget_stats();
}

bool Database::enter() {
  if (connections_ >= static_cast<std::uint64_t>(knobs_["connections"])) {
    refused();
    return false;
  }
  raise(counts_["peak_connections"], ++connections_);
  return true;
}

void Database::logged_in() {
  ++counts_["logins"];
  recent_logins_.push_back(now());
  while (recent_logins_.front() < now() - kSecond) recent_logins_.pop_front();
  raise(counts_["peak_logins_per_second"], recent_logins_.size());
}

Micros Database::service_time() {
  const double n = static_cast<double>(executing_);
  const double mean =
      knobs_["service_us"] * (1 + knobs_["alpha"] * (n - 1) + knobs_["beta"] * n * (n - 1));
  if (knobs_["spread"] == 0) return static_cast<Micros>(mean);
  return static_cast<Micros>(mean * std::exponential_distribution<double>()(random_));
}

Database::Statement Database::begin(bool locks, std::function<void()> finished) {
  const Statement statement = next_++;
  running_[statement] = {std::move(finished), locks};
  raise(counts_["peak_executing"], ++executing_);
  if (locks) lock_line_.push_back(statement);
  if (!locks || lock_line_.front() == statement) start(statement);
  return statement;
}

void Database::start(Statement statement) {
  loop_.at(now() + service_time(), [this, statement] { finish(statement); });
}

void Database::finish(Statement statement) {
  if (!running_.contains(statement)) return;
  if (knobs_["hold"] != 0) {
    held_.push_back(statement);
    return;
  }
  const auto finished = std::move(running_[statement].finished);
  ended(statement);
  ++counts_["finished"];
  finished();
}

bool Database::cancel(Statement statement) {
  if (!running_.contains(statement)) return false;
  ended(statement);
  ++counts_["cancelled"];
  return true;
}

void Database::ended(Statement statement) {
  const bool locked = running_[statement].locks;
  running_.erase(statement);
  --executing_;
  if (!locked) return;
  const bool held = lock_line_.front() == statement;
  std::erase(lock_line_, statement);
  if (held && !lock_line_.empty()) start(lock_line_.front());
}

bool Database::set(const std::string& key, double value) {
  const auto found = knobs_.find(key);
  if (found == knobs_.end()) return false;
  found->second = value;
  if (key == "hold" && value == 0) {
    for (const Statement statement : std::exchange(held_, {})) finish(statement);
  }
  return true;
}

std::string Database::stats() const {
  std::string line = "{\"connections\": " + std::to_string(connections_) +
                     ", \"executing\": " + std::to_string(executing_);
  for (const auto& [name, count] : counts_) line += ", \"" + name + "\": " + std::to_string(count);
  return line + "}";
}

void Database::forget_stats() {
  counts_ = {{"logins", 0}, {"refused", 0}, {"finished", 0}, {"abandoned", 0}, {"cancelled", 0}};
  counts_["peak_connections"] = connections_;
  counts_["peak_executing"] = executing_;
  counts_["peak_logins_per_second"] = 0;
}

}  // namespace weirpool::bench
