#include "proxy/admission/waiting_line.hpp"

#include <algorithm>

#include "config/limits.hpp"

namespace weirpool::proxy::admission {
namespace {

constexpr int kModestyBonus = 4;

template <class Number>
Duration scaled(Duration duration, Number by) {
  return Duration(
      static_cast<Duration::rep>(static_cast<double>(duration.count()) * static_cast<double>(by)));
}

}  // namespace

// --- estimates -----------------------------------------------------------------------------------

Duration WaitingLine::gap() const {
  return times_.mean() / static_cast<Duration::rep>(std::max<std::size_t>(supply_.backends, 1));
}

Duration WaitingLine::length() const { return scaled(gap(), queue_.size()); }

Duration WaitingLine::target(TimePoint now) const {
  // A smaller target would call one waiter an overload. While nothing departs at all the line says
  // nothing about demand: a frozen database is waited for, not shed at.
  constexpr int kSilentGaps = 8;
  const Duration silence = queue_.empty() ? Duration::zero() : now - last_departure_;
  const Duration pace = silence > kSilentGaps * gap() ? silence : gap();
  return std::max<Duration>(supply_.target, 2 * pace);
}

Duration WaitingLine::interval() const {
  return std::clamp<Duration>(2 * times_.quantile(0.95), config::kLineIntervalMin,
                              config::kLineIntervalMax);
}

Duration WaitingLine::slough(Class importance, TimePoint now) const {
  constexpr std::array<int, kClasses> kTargets{16, 8, 4, 2};
  return target(now) * kTargets[static_cast<std::size_t>(importance)];
}

Duration WaitingLine::patience_of(Class importance, Duration query_wait) {
  return importance == Class::sheddable ? query_wait / 4 : query_wait;
}

Duration WaitingLine::predicted_wait(const Flow& flow) const {
  if (!times_.known()) return Duration::zero();
  // Fair queueing bounds what others can put in front of it: one turn of each busy source for each
  // of its own.
  const std::size_t all = queue_.size() + 1;
  const std::size_t fair =
      (FairQueue::waiting_beside(flow) + 1) * (FairQueue::busy_beside(flow) + 1);
  return scaled(gap(), std::min(all, fair));
}

Duration WaitingLine::wait_in_flood(const Flow& flow) const {
  const double turns = static_cast<double>(queue_.debt(flow).count()) /
                       static_cast<double>(std::max<Duration::rep>(advance().count(), 1));
  const auto round = static_cast<double>(FairQueue::busy_beside(flow) + 1);
  return std::max<Duration>(predicted_wait(flow), scaled(gap(), turns * round));
}

Duration WaitingLine::retry_after(const Flow& flow, double random) const {
  const Duration wait = std::max<Duration>(predicted_wait(flow), Duration::zero());
  const Duration spread = std::max<Duration>(wait, config::kRetryAfterSpread);
  return std::clamp<Duration>(wait + scaled(spread, random), config::kRetryAfterMin,
                              config::kRetryAfterMax);
}

// --- the line ------------------------------------------------------------------------------------

void WaitingLine::supply(const Supply& supply, TimePoint now) {
  supply_ = supply;
  if (overloadable()) return;
  detector_.forget(now, interval());
  door_.forget();
}

WaitingLine::Answer WaitingLine::admit(const Flow& flow, Duration patience, TimePoint now) {
  if (supply_.coming > 0) return Answer::queue;
  const Duration wait = predicted_wait(flow);
  if (wait == Duration::zero()) return Answer::queue;
  if (patience != Duration::max() && wait + times_.quantile(0.5) > patience) {
    return Answer::hopeless;
  }
  if (!door_.narrow()) return Answer::queue;
  const Duration shown = wait_in_flood(flow) / (FairQueue::modest_with(flow) ? kModestyBonus : 1);
  const Duration most = slough(flow.importance(), now);
  return door_.admits(now, shown, most, least()) ? Answer::queue : Answer::flooded;
}

void WaitingLine::look(TimePoint now) {
  if (!overloadable()) return;
  const TimePoint since = queue_.oldest_since();
  const Duration oldest = since == TimePoint::max() ? Duration::zero() : now - since;
  detector_.observe(now, oldest, target(now), interval());
  door_.observe(now, detector_.overloaded(), length(), slough(Class::normal, now), interval());
}

void WaitingLine::push(Ticket& ticket, const Flow& flow, TimePoint now) {
  if (queue_.empty()) last_departure_ = now;
  queue_.push(ticket, flow, now);
}

void WaitingLine::erase(Ticket& ticket, TimePoint now) {
  queue_.erase(ticket);
  if (queue_.empty()) look(now);
}

Ticket* WaitingLine::next(TimePoint now) {
  look(now);
  last_departure_ = now;
  // What came before the door was narrow is still there.
  const bool flood =
      door_.narrow() && length() > 2 * door_.room(now, slough(Class::normal, now), least());
  const auto order = flood ? FairQueue::Order::newest_first : FairQueue::Order::oldest_first;
  Ticket* ticket = queue_.pick(order, advance(), now);
  if (ticket && queue_.empty()) look(now);
  return ticket;
}

Ticket* WaitingLine::expired(TimePoint now) {
  look(now);
  if (!overloaded()) return nullptr;
  Ticket* late = door_.narrow() ? surplus(now) : nullptr;
  if (!late) late = outwaited(now);
  if (late) queue_.erase(*late);
  return late;
}

/// What came before the door was narrow: of the least important class and of those who ask for more
/// than the others, who has least time left.
Ticket* WaitingLine::surplus(TimePoint now) {
  if (length() <= slough(Class::normal, now)) return nullptr;
  std::size_t least = kClasses - 1;
  while (queue_.waiting(static_cast<Class>(least)) == 0) --least;
  return queue_.find(static_cast<Class>(least), &FairQueue::greedy,
                     [](const Ticket&) { return true; });
}

Ticket* WaitingLine::outwaited(TimePoint now) {
  for (std::size_t i = 0; i < kClasses; ++i) {
    const auto importance = static_cast<Class>(i);
    const Duration most = slough(importance, now);
    // A source that asks for less than the others is not what overloads the pool; fair queueing
    // serves it soon, and only if it does not is it refused as well.
    Ticket* late = queue_.find(
        importance,
        [&](const Ticket& ticket) {
          return now - ticket.since() > kModestyBonus * most || !FairQueue::modest(ticket);
        },
        [&](const Ticket& ticket) { return now - ticket.since() > most; });
    if (late) return late;
  }
  return nullptr;
}

TimePoint WaitingLine::wake_at(TimePoint now) const {
  if (!overloadable() || (queue_.empty() && !overloaded())) return TimePoint::max();
  TimePoint at = detector_.interval_ends();
  for (std::size_t i = 0; overloaded() && i < kClasses; ++i) {
    const auto importance = static_cast<Class>(i);
    const Ticket* oldest = queue_.oldest(importance);
    if (oldest) at = std::min(at, oldest->since() + slough(importance, now));
  }
  if (door_.narrow() && length() > slough(Class::normal, now)) at = now;
  return std::max<TimePoint>(at, now + config::kLineTick);
}

void WaitingLine::served(FlowNode* borrower, Duration held, Duration advance, TimePoint now) {
  times_.record(held);
  if (borrower) queue_.charge(borrower, held - advance, now);
}

}  // namespace weirpool::proxy::admission
