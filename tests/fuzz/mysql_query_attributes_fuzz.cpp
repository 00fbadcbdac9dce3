// Where the SQL begins behind any attributes at all: never outside of what is there.
#include <cstdlib>

#include "protocol/mysql/query_attributes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto at = weirpool::protocol::mysql::sql_behind_attributes({data, size});
  if (at && *at > size) std::abort();
  return 0;
}
