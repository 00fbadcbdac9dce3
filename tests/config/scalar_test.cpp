#include "config/scalar.hpp"

#include <gtest/gtest.h>

namespace weirpool::config {
namespace {

using std::chrono::milliseconds;

TEST(Scalar, DurationsCarryUnits) {
  EXPECT_EQ(parse_duration("250ms").value, milliseconds(250));
  EXPECT_EQ(parse_duration("30s").value, milliseconds(30'000));
  EXPECT_EQ(parse_duration("1h1m30s5ms").value, milliseconds(3'690'005));
  EXPECT_EQ(parse_duration("2d").value, milliseconds(172'800'000));
  EXPECT_EQ(parse_duration("0").value, milliseconds(0));
  EXPECT_EQ(parse_duration("off").value, milliseconds(0));
}

TEST(Scalar, BareNumberSaysHowToWriteIt) {
  EXPECT_EQ(parse_duration("30").error, "'30' has no unit; write 30s (or 30ms, 30m, 30h)");
}

TEST(Scalar, OtherDurationsAreRefused) {
  for (const char* bad :
       {"", "s", "1.5s", "-1s", "30 s", "30s1m", "1s1s", "30sec", "1234567890s", "5M", "1m30"}) {
    EXPECT_FALSE(parse_duration(bad).value) << bad;
    EXPECT_NE(parse_duration(bad).error, "") << bad;
  }
}

TEST(Scalar, DurationsRoundTrip) {
  for (const char* text : {"0", "1ms", "250ms", "1m30s", "1h", "1d2h3m4s5ms"}) {
    EXPECT_EQ(format_duration(*parse_duration(text).value), text);
  }
}

TEST(Scalar, NumbersAreDecimal) {
  EXPECT_EQ(parse_integer("0").value, 0U);
  EXPECT_EQ(parse_integer("10000").value, 10000U);
  for (const char* bad :
       {"", "010", "0x10", "-1", "+1", "1_000", "1e3", " 1", "1.0", "99999999999999999999"}) {
    EXPECT_FALSE(parse_integer(bad).value) << bad;
  }
}

TEST(Scalar, BooleansAreTrueAndFalse) {
  EXPECT_EQ(parse_boolean("true").value, true);
  EXPECT_EQ(parse_boolean("false").value, false);
  for (const char* bad : {"yes", "on", "True", "1", ""}) EXPECT_FALSE(parse_boolean(bad).value);
}

TEST(Scalar, Addresses) {
  EXPECT_EQ(parse_address("db.example:5432").value, (Address{"db.example", 5432}));
  EXPECT_EQ(parse_address("[::1]:6432").value, (Address{"::1", 6432}));
  EXPECT_EQ(format_address({"::1", 6432}), "[::1]:6432");
  EXPECT_EQ(format_address({"a", 1}), "a:1");
  EXPECT_EQ(format_address({}), "off");
  for (const char* bad : {"", "host", ":6432", "::1:6432", "[::1]", "h:0", "h:65536", "h:x",
                          "a b:1", "[]:1", "user@h:1", "h:", "[::1:5"}) {
    EXPECT_FALSE(parse_address(bad).value) << bad;
  }
}

}  // namespace
}  // namespace weirpool::config
