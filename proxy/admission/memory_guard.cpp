#include "proxy/admission/memory_guard.hpp"

#include <algorithm>
#include <utility>

#include "config/limits.hpp"

namespace weirpool::proxy::admission {

bool may_wait(MemoryState state, Class importance) {
  switch (state) {
    case MemoryState::ample: return true;
    case MemoryState::tight: return importance < Class::sheddable;
    case MemoryState::dire: return importance < Class::normal;
  }
  return true;
}

bool MemoryGuard::look(TimePoint now, std::uint64_t resident, std::uint64_t high) {
  const MemoryState state = next(now, resident, high);
  if (state_ == MemoryState::ample && state != MemoryState::ample) {
    since_ = now;
    peak_ = 0;
  }
  if (state_ != MemoryState::ample || state != MemoryState::ample) {
    peak_ = std::max(peak_, resident);
  }
  return std::exchange(state_, state) != state;
}

MemoryState MemoryGuard::next(TimePoint now, std::uint64_t resident, std::uint64_t high) const {
  if (high == 0) return MemoryState::ample;
  const bool over = resident >= high;
  if (state_ == MemoryState::ample) return over ? MemoryState::tight : MemoryState::ample;
  if (resident < high / 10 * 9) return MemoryState::ample;
  // Between the two marks what is done goes on, and nothing is added to it.
  if (!over) return state_;
  return now - since_ >= config::kMemoryGrace ? MemoryState::dire : state_;
}

}  // namespace weirpool::proxy::admission
