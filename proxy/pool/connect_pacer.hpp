// When one more connection to a database server may be opened, for all workers and pools together:
// few at once, few per second, fewer where the server slows down, and one at a time while it fails.
//
//          failures for some time       a pause is over
//   closed ----------------------> open ----------------> half open (one attempt)
//     ^  \                          ^                        |     |
//     |   some failures: pauses     '------- it failed ------'     |
//     '------------ it succeeded: slow start ----------------------'
//
// The share of the configured rate and of the parallel attempts that is used now is halved when the
// server has too many connections, or takes three times as long as it usually does to accept one;
// it comes back additively, second by second. After an outage it begins at its least and doubles
// each second. Not thread-safe: BackendTarget holds its lock. No clock of its own.
#pragma once

#include <cstdint>

#include "config/config.hpp"
#include "proxy/net/deadlines.hpp"

namespace weirpool::proxy {

enum class Circuit : std::uint8_t { closed, open, half_open };

class ConnectPacer {
 public:
  using Duration = Clock::duration;
  struct Limits {
    std::uint32_t parallel = 1;
    std::uint32_t per_second = 1;
    config::Duration backoff_min{};
    config::Duration backoff_max{};
    config::Duration
        open_after{};  ///< failures for this long, and not just a few, open the circuit

    static Limits of(const config::Config& config);
  };
  /// How an attempt has ended.
  enum class Outcome : std::uint8_t {
    connected,
    refused,    ///< the server is well, but does not want this user or database
    unwilling,  ///< the server is there and says that it does not serve now
    full,       ///< it has as many connections as it takes
    failed,
  };

  /// Asked right before an attempt. True: it has begun, and is told to ended() later.
  bool begin(TimePoint now, const Limits& limits);
  /// `took`: from its beginning.
  void ended(Outcome outcome, TimePoint now, Duration took, const Limits& limits);
  /// When begin() is worth asking again; not after `now`: at once.
  TimePoint again_at(TimePoint now, const Limits& limits) const;

  Circuit circuit() const;
  /// When the failures began that made the circuit open.
  TimePoint failing_since() const { return failing_since_; }
  /// Is it going slowly, because the server was full, slow or away?
  bool throttled() const { return share_ < 1; }
  /// Of the configured rate and parallel attempts, up to 1.
  double share() const { return share_; }

 private:
  bool failing() const { return backoff_ != config::Duration::zero(); }
  std::uint32_t parallel(const Limits& limits) const;
  Duration interval(const Limits& limits) const;
  Duration tolerance(const Limits& limits) const;
  void recover(TimePoint now);
  void slow_down(TimePoint now);
  void step_back(TimePoint now, const Limits& limits, bool counts);
  void works_again(TimePoint now, const Limits& limits);
  void observe(TimePoint now, Duration took);

  std::uint32_t under_way_ = 0;
  TimePoint due_{};  ///< of the next attempt, were they evenly spaced (GCRA)
  double share_ = 1;
  bool doubling_ = false;  ///< the share, after an outage
  TimePoint share_changed_{};
  TimePoint slowed_at_{};
  Duration usual_{};   ///< how long the server takes to accept one
  Duration lately_{};  ///< the same, of the last few
  // While it fails.
  config::Duration backoff_{};  ///< zero: it does not
  TimePoint retry_at_{};
  bool probing_ = false;  ///< the one attempt is on its way
  std::uint32_t failures_ = 0;
  TimePoint failing_since_{};
  bool open_ = false;  ///< the circuit
};

}  // namespace weirpool::proxy
