#include "proxy/admission/accept_gate.hpp"

namespace weirpool::proxy::admission {

bool AcceptGate::admits(TimePoint now, bool behind, bool full) {
  if (!full) full_since_.reset();
  if (full && !full_since_) full_since_ = now;
  if (full && now - *full_since_ < patience_) return false;
  if (behind && !narrow_) {
    since_ = now;
    next_ = now;
  }
  narrow_ = behind;
  if (!narrow_) return true;
  if (now < next_) return false;
  next_ = now + apart_;
  return true;
}

}  // namespace weirpool::proxy::admission
