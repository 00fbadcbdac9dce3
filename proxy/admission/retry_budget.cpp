#include "proxy/admission/retry_budget.hpp"

#include <algorithm>

#include "config/limits.hpp"

namespace weirpool::proxy::admission {
namespace {

/// One retry for so many requests of the window, and so many beside.
constexpr std::uint64_t kRequestsPerRetry = 10;
constexpr std::uint64_t kFloor = 10;

}  // namespace

/// The slot that `now` falls into; those that have passed without anything are emptied.
RetryBudget::Slot& RetryBudget::slot(TimePoint now) {
  constexpr Duration kWidth = Duration(config::kRetryWindow) / kSlots;
  const std::int64_t number = now.time_since_epoch() / kWidth;
  const auto all = static_cast<std::int64_t>(kSlots);
  for (std::int64_t old = std::max(newest_ + 1, number - all + 1); old <= number; ++old) {
    slots_[static_cast<std::size_t>(old % all)] = {};
  }
  newest_ = std::max(newest_, number);
  return slots_[static_cast<std::size_t>(newest_ % all)];
}

void RetryBudget::note(TimePoint now, std::uint64_t requests) { slot(now).requests += requests; }

bool RetryBudget::take(TimePoint now) {
  Slot& current = slot(now);
  Slot all;
  for (const Slot& one : slots_) {
    all.requests += one.requests;
    all.retries += one.retries;
  }
  if (all.retries >= all.requests / kRequestsPerRetry + kFloor) return false;
  ++current.retries;
  return true;
}

}  // namespace weirpool::proxy::admission
