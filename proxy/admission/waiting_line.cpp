#include "proxy/admission/waiting_line.hpp"

#include <algorithm>

#include "config/limits.hpp"

namespace weirpool::proxy::admission {
namespace {

constexpr int kModestyBonus = 4;
/// What the classes may wait.
constexpr std::array<int, kClasses> kTargets{16, 8, 4, 2};
constexpr auto kNormal = static_cast<std::size_t>(Class::normal);

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
  return target(now) * kTargets[static_cast<std::size_t>(importance)];
}

Duration WaitingLine::least(Class importance) const {
  return times_.mean() * kTargets[static_cast<std::size_t>(importance)] / kTargets[kNormal];
}

Duration WaitingLine::patience_of(Class importance, Duration query_wait) {
  return importance == Class::sheddable ? query_wait / 4 : query_wait;
}

Duration WaitingLine::predicted_wait(const Flow& flow) const {
  if (!times_.known()) return Duration::zero();
  // Fair queueing bounds what others can put in front of it: one turn of each busy source for each
  // of its own.
  const std::size_t all = queue_.size() + 1;
  const std::size_t fair = (FairQueue::waiting_beside(flow) + 1) * FairQueue::turns_beside(flow);
  return scaled(gap(), std::min(all, fair));
}

bool WaitingLine::may_join(const Flow& flow, Duration most) const {
  // Chance alone makes the line of a source stand for an interval, and what is important is not
  // refused for that.
  const bool important = flow.importance() < Class::normal;
  if (important) most = std::max<Duration>(most, interval());
  if (queue_.standing(flow) > most) return false;
  if (!door_.narrow()) return true;
  // A source that has had more than its turns waits for those of others.
  const double turns = static_cast<double>(queue_.debt(flow).count()) /
                       static_cast<double>(std::max<Duration::rep>(advance().count(), 1));
  const auto others = static_cast<double>(FairQueue::turns_beside(flow) - 1);
  return scaled(gap(), turns * others) <= most;
}

Duration WaitingLine::retry_after(const Flow& flow, double random) const {
  const Duration wait = std::max<Duration>(predicted_wait(flow), Duration::zero());
  const Duration spread = std::max<Duration>(wait, config::kRetryAfterSpread);
  return std::clamp<Duration>(wait + scaled(spread, random), config::kRetryAfterMin,
                              config::kRetryAfterMax);
}

// --- the line ------------------------------------------------------------------------------------

/// Among many backends one more makes no difference, and one that does not come is not waited for.
bool WaitingLine::grows(TimePoint now) const {
  constexpr std::size_t kMany = 4;
  if (supply_.coming == 0 || supply_.pool > kMany * supply_.coming) return false;
  return supply_.pool == 0 || now - grown_ < config::kGrowthStalled;
}

/// A moment with fewer of them, while one changes hands, is not the usual.
void WaitingLine::note_size(std::size_t backends, TimePoint now) {
  if (backends >= usual_) {
    fewer_since_ = TimePoint::max();
  } else if (fewer_since_ == TimePoint::max()) {
    fewer_since_ = now;
  } else if (now - fewer_since_ >= config::kWarmUp) {
    usual_ = backends;
    fewer_since_ = TimePoint::max();
  }
  if (backends == 0 || backends < 2 * usual_) return;
  usual_ = backends;
  doubled_ = now;
}

void WaitingLine::supply(const Supply& supply, TimePoint now) {
  const std::size_t before = supply_.pool;
  const bool came = supply_.coming == 0;
  supply_ = supply;
  supply_.pool = std::max(supply.pool, supply.backends);
  if (came || supply_.pool > before) grown_ = now;
  note_size(supply_.pool, now);
  unsettled_ = supply_.held_up || grows(now) || now - doubled_ < config::kWarmUp;
  if (overloadable()) return;
  detector_.forget(now, interval());
  door_.forget();
}

WaitingLine::Answer WaitingLine::admit(const Flow& flow, Duration patience, TimePoint now) {
  if (unsettled_) return Answer::queue;
  const Duration wait = predicted_wait(flow);
  if (wait == Duration::zero()) return Answer::queue;
  if (patience != Duration::max() && wait + times_.quantile(0.5) > patience) {
    return Answer::hopeless;
  }
  if (!overloaded()) return Answer::queue;
  const Duration most = welcome(flow.importance(), now);
  const bool in = may_join(flow, most) && door_.admits(now, wait, most, least(flow.importance()));
  return in ? Answer::queue : Answer::flooded;
}

void WaitingLine::look(TimePoint now) {
  if (!overloadable()) return;
  const TimePoint since = queue_.oldest_since();
  const Duration oldest = since == TimePoint::max() ? Duration::zero() : now - since;
  detector_.observe(now, oldest, target(now), interval());
  door_.observe(now, detector_.overloaded(), length(), welcome(Class::normal, now), interval());
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
  const bool flood = door_.narrow() && length() > 2 * door_.room(now, welcome(Class::normal, now),
                                                                 least(Class::normal));
  const auto order = flood ? FairQueue::Order::newest_first : FairQueue::Order::oldest_first;
  Ticket* ticket = queue_.pick(order, advance(), now);
  if (ticket && queue_.empty()) look(now);
  return ticket;
}

std::vector<Ticket*> WaitingLine::expired(TimePoint now) {
  look(now);
  std::vector<Ticket*> late;
  if (!overloaded()) return late;
  take_surplus(now, late);
  take_outwaited(now, late);
  if (!late.empty() && queue_.empty()) look(now);
  return late;
}

/// More than may be in line, from before the door was narrow. Must not be empty.
bool WaitingLine::too_long(TimePoint now) const {
  return door_.narrow() && length() > welcome(queue_.least_important(), now);
}

/// Of those who ask for more than the others, who has least time left.
void WaitingLine::take_surplus(TimePoint now, std::vector<Ticket*>& late) {
  using Sift = FairQueue::Sift;
  const auto go_on = [&] { return late.size() < config::kShedAtOnce && too_long(now); };
  // With who has left, others ask for more than the mean.
  while (!queue_.empty() && go_on()) {
    const auto judge = [&](const Ticket& ticket) {
      if (!go_on()) return Sift::stop;
      return FairQueue::greedy(ticket) ? Sift::take : Sift::leave;
    };
    queue_.sift(queue_.least_important(), judge, late);
  }
}

void WaitingLine::take_outwaited(TimePoint now, std::vector<Ticket*>& late) {
  using Sift = FairQueue::Sift;
  for (std::size_t i = 0; i < kClasses; ++i) {
    const auto importance = static_cast<Class>(i);
    const Duration most = slough(importance, now);
    const auto judge = [&](const Ticket& ticket) {
      const Duration waited = now - ticket.since();
      if (waited <= most || late.size() >= config::kShedAtOnce) return Sift::stop;
      // A source that asks for less than the others is not what overloads the pool; fair queueing
      // serves it soon, and only if it does not is it refused as well.
      const bool spared = waited <= kModestyBonus * most && FairQueue::modest(ticket);
      return spared ? Sift::leave : Sift::take;
    };
    queue_.sift(importance, judge, late);
  }
}

TimePoint WaitingLine::wake_at(TimePoint now) const {
  if (!overloadable() || (queue_.empty() && !overloaded())) return TimePoint::max();
  TimePoint at = detector_.interval_ends();
  for (std::size_t i = 0; overloaded() && i < kClasses; ++i) {
    const auto importance = static_cast<Class>(i);
    const Ticket* oldest = queue_.oldest(importance);
    if (oldest) at = std::min(at, oldest->since() + slough(importance, now));
  }
  if (!queue_.empty() && too_long(now)) at = now;
  return std::max<TimePoint>(at, now + config::kLineTick);
}

void WaitingLine::served(FlowNode* borrower, Duration held, Duration advance, TimePoint now) {
  times_.record(held);
  if (borrower) queue_.charge(borrower, held - advance, now);
}

}  // namespace weirpool::proxy::admission
