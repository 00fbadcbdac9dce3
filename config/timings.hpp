// Durations that are part of the design rather than of a deployment. They live here so that no
// duration literal hides in the program (tests/tidy checks that).
#pragma once

#include "config/config.hpp"

namespace weirpool::config {

/// How much longer a client of another worker may wait than the oldest local one before a released
/// backend moves to it: a hand-over costs two wake-ups, so it must buy something.
inline constexpr Duration kHandOverSkew{20};
/// The same where the backend has to be closed and another opened: dearer by a login.
inline constexpr Duration kEvictionSkew{200};
/// How often idle backends are looked over for age.
inline constexpr Duration kSweepInterval{1000};
/// How long a client that has been told goodbye may take to close before it is cut off. Closing at
/// once would send a reset, and a reset can overtake the goodbye.
inline constexpr Duration kFarewellLinger{1000};
/// How often a drain looks whether everybody has left.
inline constexpr Duration kDrainPoll{50};

}  // namespace weirpool::config
