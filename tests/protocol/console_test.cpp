#include "protocol/console.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::console {
namespace {

using Texts = std::vector<std::string>;

TEST(ConsoleTest, StatementsEndAtSemicolons) {
  EXPECT_EQ(split("SHOW POOLS; show stats ;"), (Texts{"SHOW POOLS", "show stats"}));
  EXPECT_EQ(split(" ;; \n"), Texts{});
  EXPECT_EQ(split(""), Texts{});
}

TEST(ConsoleTest, CommentsAreTakenOut) {
  EXPECT_EQ(split("SHOW -- which; ones?\n POOLS"), Texts{"SHOW  \n POOLS"});
  EXPECT_EQ(split("/* a /* b; */ c; */SHOW/**/POOLS;"), Texts{"SHOW POOLS"});
  EXPECT_EQ(split("/* never closed; SHOW"), Texts{});
  EXPECT_EQ(split("-- only a comment"), Texts{});
}

TEST(ConsoleTest, QuotesHideSemicolonsAndComments) {
  EXPECT_EQ(split("PAUSE \"a;b\"; SET x = 'it''s -- ; /*'"),
            (Texts{"PAUSE \"a;b\"", "SET x = 'it''s -- ; /*'"}));
  EXPECT_EQ(split("PAUSE \"open; end"), Texts{"PAUSE \"open; end"});
}

TEST(ConsoleTest, TwoNamesAreWeirpoolItself) {
  EXPECT_TRUE(reserved("pgbouncer"));
  EXPECT_TRUE(reserved("weirpool"));
  EXPECT_FALSE(reserved("Weirpool"));
  EXPECT_FALSE(reserved("app"));
}

TEST(ConsoleTest, AnAnswerFailsOnlyWithWords) {
  EXPECT_TRUE(Answer::done("PAUSE").error.empty());
  EXPECT_EQ(Answer::failed("08P01", "no").error, "no");
}

}  // namespace
}  // namespace weirpool::protocol::console
