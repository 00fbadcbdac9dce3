#include "proxy/admission/door.hpp"

#include <algorithm>

namespace weirpool::proxy::admission {
namespace {

/// Of what may be waited at most.
constexpr double kNarrowest = 1.0 / 8;
/// A line falls so much more slowly than time passes.
constexpr int kSlowness = 2;

}  // namespace

void Door::observe(TimePoint now, bool overloaded, Duration line, Duration most,
                   Duration interval) {
  if (narrow_) {
    narrow_ = now - refused_ < interval;
  } else if (overloaded && line > most) {
    narrow_ = true;
    since_ = refused_ = now;
    fall_ = kSlowness * most;
  }
}

Duration Door::room(TimePoint now, Duration most, Duration least) const {
  if (!narrow_) return Duration::max();
  const double passed =
      static_cast<double>((now - since_).count()) / static_cast<double>(fall_.count());
  const double share = std::max(kNarrowest, 1 - passed);
  const Duration room(static_cast<Duration::rep>(share * static_cast<double>(most.count())));
  return std::max(room, std::min(least, most));
}

bool Door::admits(TimePoint now, Duration wait, Duration most, Duration least) {
  if (wait <= room(now, most, least)) return true;
  refused_ = now;
  return false;
}

}  // namespace weirpool::proxy::admission
