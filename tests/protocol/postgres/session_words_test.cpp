#include "protocol/postgres/session_words.hpp"

#include <gtest/gtest.h>

#include <string>

namespace weirpool::protocol::postgres {
namespace {

// What texts mean is tested where they are cut into words: session_text_test.cpp.

TEST(SessionWords, EveryPinHasALabel) {
  for (Effects bit = 1; bit <= kPins; bit <<= 1) EXPECT_FALSE(pin_label(bit).empty()) << bit;
  EXPECT_EQ(pin_label(0), "");
  EXPECT_EQ(pin_label(kResetAll | kForgets | kEndsState | kSettings | kRoles | kLocal), "");
}

TEST(SessionWords, OneTextNamesABoundedNumberOfParameters) {
  SessionWords words;
  for (std::size_t i = 0; i <= kMaxSettingsPerText; ++i) {
    words.word("reset", false);
    words.word("p" + std::to_string(i), false);
    words.end_statement();
  }
  const TextEffects effects = words.take();
  EXPECT_EQ(effects.settings.size(), kMaxSettingsPerText);
  EXPECT_EQ(effects.bits, kSettings | kPinSet);
}

TEST(SessionWords, LiteralsAreReadOnlyWhereTheyNameAParameter) {
  SessionWords words;
  words.word("select", false);
  words.symbol('\'');
  EXPECT_FALSE(words.captures());
  words.word("set_config", false);
  words.symbol('(');
  EXPECT_TRUE(words.captures());
  words.symbol('\'');
  for (const char c : std::string("a")) words.literal(c);
  words.symbol(',');
  EXPECT_FALSE(words.captures());
}

}  // namespace
TEST(SessionWords, FunctionsCalledByNumberHaveTheirEffects) {
  for (const std::uint32_t oid : {2880U, 2883U, 2889U}) {
    EXPECT_EQ(effects_of_function(oid) & kPins, kPinAdvisoryLock) << oid;
  }
  EXPECT_EQ(effects_of_function(2892) & kEndsState, kEndsState);
  EXPECT_EQ(effects_of_function(2078), kPinSetConfig);
  EXPECT_EQ(effects_of_function(1599), kPinSeed);
  EXPECT_EQ(effects_of_function(1575) | effects_of_function(2559), kPinSequence);
  EXPECT_EQ(effects_of_function(952), 0U);  // lo_open
}

}  // namespace weirpool::protocol::postgres
