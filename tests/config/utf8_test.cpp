#include "config/utf8.hpp"

#include <gtest/gtest.h>

namespace weirpool::config {
namespace {

TEST(Utf8, AcceptsEveryLength) {
  const std::string_view text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";
  EXPECT_EQ(valid_utf8_prefix(text), text.size());
}

TEST(Utf8, StopsAtTheFirstBadByte) {
  for (const std::string_view bad :
       {"ab\xFF", "ab\xC0\x80", "ab\xC3", "ab\xE0\x9F\x80", "ab\xED\xA0\x80", "ab\xF4\x90\x80\x80",
        "ab\xF0\x8F\x80\x80", "ab\x80", "ab\xE2\x82", "ab\xF0\x9F\x98"}) {
    EXPECT_EQ(valid_utf8_prefix(bad), 2U) << bad;
  }
}

}  // namespace
}  // namespace weirpool::config
