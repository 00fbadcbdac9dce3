#include "proxy/log/line.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "config/limits.hpp"

namespace weirpool::log {
namespace {

const std::chrono::system_clock::time_point kAt{std::chrono::microseconds(1'795'438'281'784'123)};

TEST(LogLine, JsonHasStableKeysAndTypes) {
  const std::string user = "a";
  const std::vector<Field> fields{{"db", "shop"},   {"wait_ms", 12}, {"bytes", 7U}, {"ratio", 0.5},
                                  {"pinned", true}, {"delta", -3},   {"user", user}};
  EXPECT_EQ(json_line({kAt, Level::info, "client_login", "logged in", fields}),
            "{\"ts\":\"2026-11-23T12:51:21.784123Z\",\"level\":\"info\",\"event\":\"client_login\","
            "\"msg\":\"logged in\",\"db\":\"shop\",\"wait_ms\":12,\"bytes\":7,\"ratio\":0.5,"
            "\"pinned\":true,\"delta\":-3,\"user\":\"a\"}");
}

TEST(LogLine, NothingEscapesTheString) {
  const std::vector<Field> fields{{"user", std::string_view("a\"b\\\n\x01\xFFz", 8)},
                                  {"nan", std::numeric_limits<double>::quiet_NaN()}};
  EXPECT_EQ(json_line({kAt, Level::warn, "e", "m\r", fields}),
            "{\"ts\":\"2026-11-23T12:51:21.784123Z\",\"level\":\"warn\",\"event\":\"e\","
            "\"msg\":\"m\\u000d\",\"user\":\"a\\\"b\\\\\\n\\u0001\xEF\xBF\xBDz\",\"nan\":null}");
}

TEST(LogLine, LongValuesAreCut) {
  const std::string name(100'000, 'x');
  const std::vector<Field> fields{{"user", name}};
  const std::string line = json_line({kAt, Level::info, "e", "m", fields});
  EXPECT_LT(line.size(), config::kLogFieldBytes + 200);
  EXPECT_NE(line.find("x...\""), std::string::npos);
}

TEST(LogLine, TextIsAligned) {
  const std::vector<Field> fields{{"db", "shop"}, {"app", "two words"}, {"n", 3}};
  EXPECT_EQ(text_line({kAt, Level::warn, "pool_exhausted", "all backends are busy", fields}, false),
            "12:51:21.784 warn  pool_exhausted         all backends are busy  db=shop "
            "app=\"two words\" n=3");
  EXPECT_EQ(text_line({kAt, Level::error, "e", "m", {}}, true).find("\x1b[31merror\x1b[0m"), 13U);
  const std::vector<Field> hostile{{"user", "\x1b[2J"}};
  EXPECT_EQ(text_line({kAt, Level::info, "e", "m\x1b", hostile}, false).find('\x1b'),
            std::string::npos);
}

}  // namespace
}  // namespace weirpool::log
