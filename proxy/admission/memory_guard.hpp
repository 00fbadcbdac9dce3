// Whether weirpool is short of memory. Above a watermark it takes in nobody new and refuses what is
// least important of what waits in line, for each of those holds a chunk; if that does not help
// within a while, normal work as well. Below nine tenths of the watermark all is as before, so that
// what has just been given back is not asked for again at once (a watermark per action is how
// Envoy's overload manager does it; one and a time need no tuning). Pure: is told the time and the
// figures. One thread.
#pragma once

#include <cstdint>

#include "proxy/admission/fair_queue.hpp"
#include "proxy/admission/time.hpp"

namespace weirpool::proxy::admission {

enum class MemoryState : std::uint8_t {
  ample,
  tight,  ///< nobody new; sheddable work does not wait
  dire,   ///< it has not helped: normal work does not wait either
};

/// May work of this class stand in line?
bool may_wait(MemoryState state, Class importance);

class MemoryGuard {
 public:
  /// `resident`: bytes in use; `high`: the watermark, zero: there is none. True: the state is
  /// another one than before.
  bool look(TimePoint now, std::uint64_t resident, std::uint64_t high);

  MemoryState state() const { return state_; }
  /// Of the shortage that goes on, or has just ended: when it began, and the most that was in use.
  TimePoint since() const { return since_; }
  std::uint64_t peak() const { return peak_; }

 private:
  MemoryState next(TimePoint now, std::uint64_t resident, std::uint64_t high) const;

  MemoryState state_ = MemoryState::ample;
  TimePoint since_{};
  std::uint64_t peak_ = 0;
};

}  // namespace weirpool::proxy::admission
