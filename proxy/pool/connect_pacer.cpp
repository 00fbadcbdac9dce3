#include "proxy/pool/connect_pacer.hpp"

#include <algorithm>
#include <utility>

#include "config/limits.hpp"
#include "proxy/net/jitter.hpp"

namespace weirpool::proxy {
namespace {

/// Fewer failures than these, in a row, do not open the circuit.
constexpr std::uint32_t kFailures = 5;
/// Attempts that may follow each other at once before the rate counts.
constexpr std::uint32_t kBurst = 8;
constexpr double kLeastShare = 0.125;
/// An attempt is slow that takes this many times as long as usual.
constexpr int kSlow = 3;
/// Of a new measurement: what becomes part of the recent time, and of the usual one where it is
/// lower or higher than that.
constexpr int kLately = 4;
constexpr int kLower = 4;
constexpr int kHigher = 64;

using Duration = ConnectPacer::Duration;

Duration towards(Duration from, Duration to, int part) {
  return from == Duration::zero() ? to : from + (to - from) / part;
}

}  // namespace

ConnectPacer::Limits ConnectPacer::Limits::of(const config::Config& config) {
  return {config.limits.max_connecting, config.limits.connect_rate,
          config.timeouts.connect_backoff_min, config.timeouts.connect_backoff_max,
          config::kCircuitAfter};
}

Circuit ConnectPacer::circuit() const {
  if (!open_) return Circuit::closed;
  return probing_ ? Circuit::half_open : Circuit::open;
}

std::uint32_t ConnectPacer::parallel(const Limits& limits) const {
  return std::max(static_cast<std::uint32_t>(limits.parallel * share_), 1U);
}

Duration ConnectPacer::interval(const Limits& limits) const {
  const std::chrono::duration<double> apart(1.0 / (limits.per_second * share_));
  return std::chrono::duration_cast<Duration>(apart);
}

/// How far ahead of their even spacing attempts may run.
Duration ConnectPacer::tolerance(const Limits& limits) const {
  const auto burst = static_cast<std::uint32_t>(kBurst * share_);
  return interval(limits) * (std::max(burst, 1U) - 1);
}

bool ConnectPacer::begin(TimePoint now, const Limits& limits) {
  recover(now);
  if (failing()) {
    if (now < retry_at_) return false;
    retry_at_ = now + jittered(backoff_);
    probing_ = true;
  } else if (under_way_ >= parallel(limits) || now < due_ - tolerance(limits)) {
    return false;
  }
  ++under_way_;
  due_ = std::max(due_, now) + interval(limits);
  return true;
}

TimePoint ConnectPacer::again_at(TimePoint now, const Limits& limits) const {
  if (failing()) return retry_at_;
  const TimePoint due = due_ - tolerance(limits);
  if (under_way_ < parallel(limits)) return due;
  const Duration ends =
      std::clamp<Duration>(lately_, config::kConnectLookMin, config::kConnectLookMax);
  return std::max(due, now + ends);
}

void ConnectPacer::ended(Outcome outcome, TimePoint now, Duration took, const Limits& limits) {
  --under_way_;
  recover(now);
  switch (outcome) {
    case Outcome::connected:
      if (failing()) {
        works_again(now, limits);
      } else {
        observe(now, took);
      }
      break;
    case Outcome::refused:
      if (failing()) works_again(now, limits);
      break;
    case Outcome::unwilling: step_back(now, limits, false); break;
    case Outcome::full:
      slow_down(now);
      step_back(now, limits, false);
      break;
    case Outcome::failed: step_back(now, limits, true); break;
  }
}

/// Attempts that were on their way together fail together: that is one failure.
void ConnectPacer::step_back(TimePoint now, const Limits& limits, bool counts) {
  const bool same_wave = !std::exchange(probing_, false) && now < retry_at_;
  if (same_wave) return;
  if (failures_ == 0) failing_since_ = now;
  failures_ = counts ? failures_ + 1 : 0;
  open_ = failures_ >= kFailures && now >= failing_since_ + limits.open_after;
  // Not even where no pause is configured: zero means that nothing fails.
  backoff_ = std::max(std::clamp(backoff_ * 2, limits.backoff_min, limits.backoff_max),
                      config::kConnectLookMin);
  retry_at_ = now + jittered(backoff_);
}

/// What is gone for less than a step has not been away.
void ConnectPacer::works_again(TimePoint now, const Limits& limits) {
  const bool was_away = failures_ > 0 && now >= failing_since_ + config::kConnectStep;
  backoff_ = {};
  retry_at_ = {};
  probing_ = false;
  failures_ = 0;
  open_ = false;
  if (!was_away) return;
  share_ = kLeastShare;
  share_changed_ = now;
  doubling_ = true;
  due_ = now + interval(limits);
}

void ConnectPacer::observe(TimePoint now, Duration took) {
  lately_ = towards(lately_, took, kLately);
  usual_ = towards(usual_, took, took < usual_ ? kLower : kHigher);
  if (lately_ > usual_ * kSlow && lately_ > config::kConnectSlow) slow_down(now);
}

/// At most once per step, so that one bad moment is one halving.
void ConnectPacer::slow_down(TimePoint now) {
  if (now < slowed_at_ + config::kConnectStep) return;
  slowed_at_ = now;
  share_ = std::max(share_ / 2, kLeastShare);
  share_changed_ = now;
  doubling_ = false;
}

void ConnectPacer::recover(TimePoint now) {
  while (throttled() && now >= share_changed_ + config::kConnectStep) {
    share_ = std::min(share_ + (doubling_ ? share_ : kLeastShare), 1.0);
    share_changed_ += config::kConnectStep;
  }
}

}  // namespace weirpool::proxy
