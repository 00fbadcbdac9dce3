// A text means the same however it is cut. Input: where to cut (two bytes, the first of which also
// chooses the encoding), then the text.
#include <cstdlib>

#include "protocol/postgres/session_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weirpool::protocol::postgres;
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  const std::size_t at = text.empty() ? 0 : (std::size_t{data[0]} << 8 | data[1]) % text.size();
  const Reading reading{Strings::standard, static_cast<Encoding>(data[0] % 5)};
  TextScan scan(reading);
  scan.feed(text.substr(0, at));
  scan.feed(text.substr(at));
  if (scan.finish() != effects_of(text, reading)) std::abort();
  return 0;
}
