// How many requests may be given to another backend because the first one was lost before a byte of
// them reached it. A database that loses connections by the hundred is not helped by being asked
// everything twice: retries are bounded by a share of what has lately been asked, and a few, so
// that the odd loss on a quiet day is hidden from clients ("Handling Overload", Site Reliability
// Engineering, 2016: a tenth). Pure, not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "proxy/admission/time.hpp"

namespace weirpool::proxy::admission {

class RetryBudget {
 public:
  /// So many requests have been given to backends.
  void note(TimePoint now, std::uint64_t requests);
  /// One wants to be given to another backend; false: there have been too many.
  bool take(TimePoint now);

 private:
  struct Slot {
    std::uint64_t requests = 0;
    std::uint64_t retries = 0;
  };
  static constexpr std::size_t kSlots = 10;

  Slot& slot(TimePoint now);

  std::array<Slot, kSlots> slots_{};
  std::int64_t newest_ = 0;  ///< number of the slot that is being filled
};

}  // namespace weirpool::proxy::admission
