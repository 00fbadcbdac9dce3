// How many statements may execute at a time, so that a database does the most it can? Found by
// trial: a few more, a few less, and what became of the throughput. The elasticity
//
//   e = d ln(throughput) / d ln(executing)
//
// is 1 where twice as many statements give twice as many answers, 0 at the peak, and negative where
// they stand in each other's way. The limit is moved until e is kAim: there, for every shape of the
// Universal Scalability Law (Gunther), throughput is within a few percent of the peak and latency
// well below that at the peak. Latency is never looked at: a database that has become slower, or is
// asked for heavier things, is not one that too much is asked of at once.
//
// A trial is a round of four phases, more, less, less, more, so that what drifts meanwhile cancels
// out. It takes place only while work waits, for only then do as many execute as may. Between
// rounds there are pauses, the longer the less the last rounds have changed. The limit begins where
// the configuration has it and is lowered only by what has been measured; where that holds no more
// at all, because a few long statements have taken all places, say, it is given up at once. Pure;
// one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "proxy/admission/time.hpp"

namespace weirpool::proxy::admission {

class Elasticity {
 public:
  /// Since the last one.
  struct Sample {
    std::uint64_t completed = 0;  ///< transactions
    std::uint32_t executing = 0;  ///< statements, now
    bool wanted = false;          ///< somebody waits, or was refused because of that
  };
  /// Fewer than `least` are never tried.
  struct Bounds {
    std::uint32_t least = 0;
    std::uint32_t most = 0;
    bool operator==(const Bounds&) const = default;
  };

  /// A few times per shortest phase.
  void observe(const Sample& sample, const Bounds& bounds, TimePoint now);

  /// How many may execute from now on, if what is found is to be followed.
  std::uint32_t limit() const;
  /// The same if it is only to be found out: the bound, but for the time of a round.
  std::uint32_t trial_limit() const { return measuring() ? limit() : bounds_.most; }
  /// What has been found: as many as are useful, not more than the bound.
  std::uint32_t useful() const;
  /// As last measured; none: not since the database has changed.
  std::optional<double> elasticity() const { return elasticity_; }
  bool measuring() const { return phase_ < kPhases; }

 private:
  static constexpr std::size_t kPhases = 4;
  static constexpr double kAim = 0.2;
  static constexpr double kStep = 0.15;    ///< so many more, and less, of what is useful
  static constexpr double kGain = 0.6;     ///< how far an error of e moves the limit
  static constexpr double kFewer = 0.75;   ///< a round makes it at most so much less
  static constexpr double kMore = 1.33;    ///< or more
  static constexpr double kCalm = 1.06;    ///< a round that moves it by less has changed nothing
  static constexpr double kDrift = 1.35;   ///< phases of one kind may differ by this
  static constexpr double kChanged = 1.3;  ///< a service time that differs by this is another one
  static constexpr double kSafe = 0.5;     ///< an elasticity that leaves no doubt
  static constexpr double kFull = 0.9;     ///< so many of those that may do execute
  static constexpr double kStarved = 0.2;  ///< this share of the known rate, or less
  /// So many must have been due for their absence to mean something.
  static constexpr double kDue = 20;
  static constexpr std::uint64_t kCompletions = 60;  ///< fewer say nothing
  static constexpr std::uint64_t kPlenty = 400;      ///< more are not waited for

  /// What was seen since `began`.
  struct Window {
    TimePoint began{};
    std::uint64_t completed = 0;
    double executing = 0;  ///< summed over samples
    unsigned samples = 0;
    unsigned wanted = 0;

    void add(const Sample& sample);
    double mean_executing() const { return samples == 0 ? 0 : executing / samples; }
    bool saturated() const { return 2 * wanted > samples; }
    /// Completed per second.
    double rate(TimePoint now) const;
    /// Seconds that one executes (Little's law).
    double service(TimePoint now) const;
    bool full(TimePoint now) const;
  };
  struct Phase {
    double rate = 0;
    double executing = 0;
  };

  void bound(const Bounds& bounds);
  void look(TimePoint now);
  void measure(TimePoint now);
  bool starved(TimePoint now) const;
  void begin_round(TimePoint now);
  void begin_phase(TimePoint now);
  void end_round(TimePoint now);
  void rest(bool changed, TimePoint now);
  void forget();
  std::optional<double> estimate() const;

  Bounds bounds_;
  double useful_ = 0;
  std::optional<double> elasticity_;
  Window window_;
  bool saturated_ = false;    ///< in the window before
  double service_ = 0;        ///< seconds, last seen
  double known_rate_ = 0;     ///< completed per second, last seen while saturated
  double known_service_ = 0;  ///< seconds, seen behind the last round; zero: not yet
  std::size_t phase_ = kPhases;
  TimePoint settled_{};  ///< from then on a phase is measured
  std::array<Phase, kPhases> phases_;
  Duration pause_{};
  TimePoint next_round_{};
  TimePoint last_wanted_{};
};

}  // namespace weirpool::proxy::admission
