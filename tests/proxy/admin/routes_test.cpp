#include "proxy/admin/routes.hpp"

#include <gtest/gtest.h>

namespace weirpool::admin {
namespace {

Pages pages() {
  return {[] { return std::string("weirpool_x 1\n"); }, [] { return Health{}; },
          [] {
            return Health{false, {"draining", "bad \xFF byte"}};
          }};
}

TEST(Routes, AnswersTheThreePages) {
  EXPECT_EQ(answer(pages(), "GET", "/metrics").body, "weirpool_x 1\n");
  EXPECT_EQ(answer(pages(), "GET", "/metrics").content_type,
            "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(answer(pages(), "GET", "/livez").status, 200U);
  EXPECT_EQ(answer(pages(), "GET", "/readyz").status, 503U);
  EXPECT_EQ(answer(pages(), "HEAD", "/readyz").body, "unavailable\n");
}

TEST(Routes, VerboseTellsTheReasons) {
  EXPECT_EQ(answer(pages(), "GET", "/readyz?verbose").body,
            "{\"ok\":false,\"reasons\":[\"draining\",\"bad \xEF\xBF\xBD byte\"]}\n");
  EXPECT_EQ(answer(pages(), "GET", "/livez?verbose").body, "{\"ok\":true,\"reasons\":[]}\n");
}

TEST(Routes, RefusesTheRestInJson) {
  EXPECT_EQ(answer(pages(), "GET", "/").status, 404U);
  EXPECT_EQ(answer(pages(), "GET", "").status, 404U);
  const Answer post = answer(pages(), "POST", "/livez");
  EXPECT_EQ(post.status, 405U);
  EXPECT_EQ(post.allow, "GET, HEAD");
  EXPECT_EQ(post.content_type, "application/json");
}

}  // namespace
}  // namespace weirpool::admin
