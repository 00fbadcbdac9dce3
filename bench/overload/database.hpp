// The double's database behind its wire: how long a statement takes, and what has been seen.
//
// A statement that begins as the Nth takes service_us * (1 + alpha (N - 1) + beta N (N - 1)) in the
// mean, which is the Universal Scalability Law (Gunther): contention and coherence make it slower
// the more of them there are. A statement whose text holds "lock" also stands in line for the one
// lock there is.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <random>
#include <string>
#include <unordered_map>

#include "bench/overload/loop.hpp"

namespace weirpool::bench {

class Database {
 public:
  using Statement = std::uint64_t;

  Database(Loop& loop, const Settings& settings);

  /// A connection wants to log in; false: there are too many.
  bool enter();
  void leave() { --connections_; }
  Micros connect_time() const { return static_cast<Micros>(knobs_.at("connect_us")); }
  void logged_in();

  /// `finished` is called when the result is there. Whoever goes away meanwhile leaves the
  /// statement running, as a database does that notices only when it answers.
  Statement begin(bool locks, std::function<void()> finished);
  /// False: it has ended already. Its finished() is not called.
  bool cancel(Statement statement);
  void abandoned() { ++counts_["abandoned"]; }
  void refused() { ++counts_["refused"]; }

  /// `key value`: a knob is turned. False: there is none of that name.
  bool set(const std::string& key, double value);
  /// One line of JSON.
  std::string stats() const;
  void forget_stats();

 private:
  struct Running {
    std::function<void()> finished;
    bool locks = false;
  };

  Micros service_time();
  void start(Statement statement);
  void finish(Statement statement);
  void ended(Statement statement);

  Loop& loop_;
  std::mt19937_64 random_{7};
  std::unordered_map<std::string, double> knobs_;
  std::unordered_map<std::string, std::uint64_t> counts_;
  std::unordered_map<Statement, Running> running_;
  std::deque<Statement> lock_line_;  ///< the first one holds it
  std::vector<Statement> held_;      ///< due while everything is held
  std::deque<Micros> recent_logins_;
  Statement next_ = 1;
  std::size_t executing_ = 0;
  std::uint64_t connections_ = 0;
};

}  // namespace weirpool::bench
