#include "proxy/admission/elasticity.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "config/limits.hpp"

namespace weirpool::proxy::admission {
namespace {

Duration of_seconds(double value) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

/// By how much the greater one is greater, as a factor.
double apart(double a, double b) { return std::max(a, b) / std::min(a, b); }

/// The phases of a round: more, less, less, more.
bool is_more(std::size_t phase) { return phase == 0 || phase == 3; }

}  // namespace

void Elasticity::Window::add(const Sample& sample) {
  completed += sample.completed;
  executing += sample.executing;
  ++samples;
  if (sample.wanted) ++wanted;
}

double Elasticity::Window::rate(TimePoint now) const {
  return static_cast<double>(completed) / seconds(now - began);
}

double Elasticity::Window::service(TimePoint now) const { return mean_executing() / rate(now); }

/// It is as long as it has to be to say something: some service times, some completions. A window
/// of fixed length would see less and less of a database the slower that is.
bool Elasticity::Window::full(TimePoint now) const {
  const Duration length = now - began;
  if (completed < kCompletions || length < config::kTrialShort) return false;
  if (length < 3 * of_seconds(service(now))) return false;
  return completed >= kPlenty || length >= config::kTrialLong;
}

void Elasticity::observe(const Sample& sample, const Bounds& bounds, TimePoint now) {
  if (bounds != bounds_) {
    bound(bounds);
    window_ = {.began = now};
    return;
  }
  if (sample.wanted) last_wanted_ = now;
  if (measuring() && now < settled_) {
    window_ = {.began = now};
    return;
  }
  window_.add(sample);
  if (starved(now)) {
    forget();
    saturated_ = false;
    window_ = {.began = now};
    next_round_ = now + config::kTrialPauseMin;
  } else if (measuring()) {
    measure(now);
  } else {
    look(now);
  }
}

std::uint32_t Elasticity::useful() const {
  return static_cast<std::uint32_t>(std::lround(useful_));
}

std::uint32_t Elasticity::limit() const {
  if (!measuring()) return useful();
  const double centre = std::round(useful_);
  const double step = std::max(1.0, std::round(centre * kStep));
  const double now = is_more(phase_) ? centre + step : centre - step;
  return static_cast<std::uint32_t>(std::clamp(now, 1.0, static_cast<double>(bounds_.most)));
}

void Elasticity::bound(const Bounds& bounds) {
  const bool all = useful_ >= bounds_.most;
  bounds_ = bounds;
  phase_ = kPhases;
  const auto least = static_cast<double>(std::min(bounds.least, bounds.most));
  useful_ = all ? bounds.most : std::clamp(useful_, least, static_cast<double>(bounds.most));
}

/// Fewer execute than are allowed, and next to nothing ends any more: what has been found was about
/// other statements than these.
bool Elasticity::starved(TimePoint now) const {
  if (useful_ >= bounds_.most || window_.mean_executing() > kMore * useful_) return false;
  const Duration length = now - window_.began;
  if (length < config::kTrialShort) return false;
  const double due = known_rate_ * seconds(length);
  return window_.saturated() && due >= kDue &&
         static_cast<double>(window_.completed) < kStarved * due;
}

/// Between rounds: is it time for one?
void Elasticity::look(TimePoint now) {
  if (now - last_wanted_ >= config::kUsefulForgotten) forget();
  if (now - window_.began >= config::kTrialPatience) {
    window_ = {.began = now};
    saturated_ = false;
    return;
  }
  if (!window_.full(now)) return;
  const bool saturated =
      window_.saturated() && window_.mean_executing() >= kFull * std::round(useful_);
  service_ = window_.service(now);
  if (saturated) {
    known_rate_ = window_.rate(now);
    if (known_service_ == 0) known_service_ = service_;
    if (apart(service_, known_service_) > kChanged) {
      known_service_ = service_;
      elasticity_.reset();
      pause_ = {};
      next_round_ = now;
    }
  }
  window_ = {.began = now};
  // A burst that is worked off is not worth a trial.
  const bool lasting = saturated && saturated_;
  saturated_ = saturated;
  if (lasting && now >= next_round_ && bounds_.most > bounds_.least) begin_round(now);
}

void Elasticity::begin_round(TimePoint now) {
  phase_ = 0;
  begin_phase(now);
}

void Elasticity::begin_phase(TimePoint now) {
  // Those that were begun under another limit end first.
  settled_ = now + of_seconds(1.5 * service_);
  window_ = {.began = now};
}

void Elasticity::measure(TimePoint now) {
  if (now - window_.began >= config::kTrialPatience) return rest(false, now);
  if (!window_.full(now)) return;
  // Not all of them were needed: that says nothing about the database.
  if (!window_.saturated()) return rest(false, now);
  service_ = window_.service(now);
  known_rate_ = window_.rate(now);
  phases_[phase_] = {window_.rate(now), window_.mean_executing()};
  ++phase_;
  if (measuring()) {
    begin_phase(now);
  } else {
    end_round(now);
  }
}

/// None where the database has changed meanwhile, or where something else bounds what executes.
std::optional<double> Elasticity::estimate() const {
  const auto& [more, less, less_again, more_again] = phases_;
  if (apart(more.rate, more_again.rate) > kDrift) return std::nullopt;
  if (apart(less.rate, less_again.rate) > kDrift) return std::nullopt;
  const double executing =
      std::log((more.executing + more_again.executing) / (less.executing + less_again.executing));
  if (executing < std::log1p(kStep) / 2) return std::nullopt;
  const double rate = std::log((more.rate + more_again.rate) / (less.rate + less_again.rate));
  return std::clamp(rate / executing, -1.0, 1.2);
}

void Elasticity::end_round(TimePoint now) {
  const std::optional<double> seen = estimate();
  if (!seen) {
    elasticity_.reset();
    return rest(false, now);
  }
  elasticity_ = elasticity_ ? (*elasticity_ + *seen) / 2 : *seen;
  const double before = useful_;
  const double factor = std::clamp(std::exp(kGain * (*elasticity_ - kAim)), kFewer, kMore);
  useful_ = std::clamp(useful_ * factor, static_cast<double>(bounds_.least),
                       static_cast<double>(bounds_.most));
  rest(apart(useful_, before) > kCalm, now);
}

/// A round is over. While rounds change something the next one follows at once.
void Elasticity::rest(bool changed, TimePoint now) {
  phase_ = kPhases;
  window_ = {.began = now};
  known_service_ = 0;
  if (changed) {
    pause_ = {};
    begin_round(now);
    return;
  }
  const bool healthy = useful_ >= bounds_.most && elasticity_.value_or(0) >= kSafe;
  const Duration least = healthy ? config::kTrialPauseHealthy : config::kTrialPauseMin;
  pause_ = std::clamp<Duration>(2 * pause_, least, config::kTrialPauseMax);
  next_round_ = now + pause_;
}

void Elasticity::forget() {
  phase_ = kPhases;
  useful_ = bounds_.most;
  elasticity_.reset();
  known_rate_ = known_service_ = 0;
  pause_ = {};
}

}  // namespace weirpool::proxy::admission
