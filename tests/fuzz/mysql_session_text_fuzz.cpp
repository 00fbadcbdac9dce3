// The scan of SQL text: whole and cut in two it must see the same.
#include <cstdlib>

#include "protocol/mysql/session_text.hpp"

using namespace weirpool::protocol;  // NOLINT: fuzzers only

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const mysql::SessionText::Mode mode{(data[0] & 1) != 0, (data[0] & 2) != 0, (data[0] & 4) != 0};
  const Bytes text(data + 2, size - 2);
  const std::size_t cut = text.empty() ? 0 : data[1] % text.size();
  mysql::SessionText whole;
  whole.begin(mode);
  whole.feed(text);
  whole.finish();
  mysql::SessionText halves;
  halves.begin(mode);
  halves.feed(text.first(cut));
  halves.feed(text.subspan(cut));
  halves.finish();
  if (whole.pins() != halves.pins() || whole.kills() != halves.kills()) std::abort();
  return 0;
}
