#include "config/substitute.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace weirpool::config {
namespace {

class SubstituteTest : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("WEIR_SET", "va$lue", 1);
    ::setenv("WEIR_EMPTY", "", 1);
    ::unsetenv("WEIR_UNSET");
  }
};

TEST_F(SubstituteTest, ReplacesEveryForm) {
  EXPECT_EQ(substitute("a ${WEIR_SET} b").text, "a va$lue b");
  EXPECT_EQ(substitute("${WEIR_UNSET:-de:fault}").text, "de:fault");
  EXPECT_EQ(substitute("${WEIR_EMPTY:-x}${WEIR_EMPTY}").text, "x");
  EXPECT_EQ(substitute("${WEIR_SET:?needed}").text, "va$lue");
  EXPECT_EQ(substitute("pa$$${WEIR_SET}$$").text, "pa$va$lue$");
  EXPECT_FALSE(substitute("pa$$").changed);
  EXPECT_TRUE(substitute("${WEIR_SET}").changed);
}

TEST_F(SubstituteTest, ExplainsWhatItCannotReplace) {
  EXPECT_EQ(substitute("${WEIR_UNSET}").error, "environment variable WEIR_UNSET is not set");
  EXPECT_EQ(substitute("${WEIR_EMPTY:?give one}").error,
            "environment variable WEIR_EMPTY is not set: give one");
  for (const char* bad : {"$WEIR_SET", "${", "${}", "${1A}", "${A:+b}", "${A:}", "a$", "${A-b}"}) {
    EXPECT_NE(substitute(bad).error, "") << bad;
  }
}

}  // namespace
}  // namespace weirpool::config
