#include "protocol/error.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace weirpool::protocol {
namespace {

TEST(Error, EveryErrorHasItsOwnWords) {
  std::set<std::string> words;
  for (const WireError error :
       {WireError::truncated, WireError::trailing, WireError::malformed, WireError::too_long}) {
    const boost::system::error_code code = error;
    EXPECT_TRUE(code.failed());
    EXPECT_STREQ(code.category().name(), "wire");
    words.insert(code.message());
  }
  EXPECT_EQ(words.size(), 4U);
  EXPECT_EQ(wire_category().message(99), "unknown wire error");
}

}  // namespace
}  // namespace weirpool::protocol
