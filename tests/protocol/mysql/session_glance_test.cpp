#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "protocol/mysql/session_vocabulary.hpp"

namespace weirpool::protocol::mysql {
namespace {

SessionText scanned(std::string_view sql) {
  SessionText text;
  text.begin({});
  text.feed(bytes_of(sql));
  text.finish();
  return text;
}

/// No value: a closer look is needed.
std::optional<SessionText> glanced(std::string_view sql, SessionText::Mode mode = {}) {
  SessionText text;
  text.begin(mode);
  if (!text.glance(bytes_of(sql))) return std::nullopt;
  return text;
}

TEST(MysqlSessionGlance, SeesThatMostTextsHoldNothingOfInterest) {
  const std::vector<std::string> texts{
      "SELECT c FROM sbtest1 WHERE id=4711",
      "  /* trace */\n select 1 ; ",
      "update t set a = 'it''s', `b` = 1.5e3 where c = 7/2 -- done",
      "REPLACE INTO `names` VALUES (1, 'x\\'y', \"z\")",
      "insert into t values (?, ?) on duplicate key update a = values(a)",
      "with x as (select 1) select * from x for update /* local tables collate */",
      "delete from t where created < now() # all",
      "select \xc3\xa9, get_locks, createx, 1create, $create from t",
  };
  for (const std::string& sql : texts) {
    const std::optional<SessionText> text = glanced(sql);
    ASSERT_TRUE(text) << sql;
    const SessionText exact = scanned(sql);
    EXPECT_EQ(text->inserts(), exact.inserts()) << sql;
    EXPECT_EQ(text->only_updates(), exact.only_updates()) << sql;
    EXPECT_EQ(text->worth_following(), exact.worth_following()) << sql;
    EXPECT_FALSE(text->multiple() || !text->one_or_sets()) << sql;
  }
}

TEST(MysqlSessionGlance, LeavesEverythingElseToTheScan) {
  const std::vector<std::string> texts{
      "",
      "set autocommit = 0",
      "(select 1)",
      "install plugin x soname 'y'",
      "select 1; select 2",
      "select ';x'",
      "select @a",
      "select @@version",
      "/*!50000 set */ select 1",
      "select /*!50000 get_lock */ ('a', 1)",
      "select /*M! get_lock */ ('a', 1)",
      "-- front\n select 1",
      "selects",
  };
  for (const std::string& sql : texts) EXPECT_FALSE(glanced(sql)) << sql;
  EXPECT_FALSE(glanced("select 1", {true, false, true})) << "where a character may hide a quote";
}

TEST(MysqlSessionGlance, OverlooksNoWord) {
  for (const Keyword& keyword : kKeywords) {
    const std::string word(keyword.word);
    for (const char* front : {"", "`", "'", "(", "/**/", "\n"}) {
      for (const char* back : {"", "(1)", "`", "'", "/**/", " t"}) {
        for (const char* lead : {"select ", "update t set a = ", "insert into "}) {
          const std::string sql = std::string(lead) + front + word + back;
          const std::optional<SessionText> text = glanced(sql);
          if (!text) continue;
          const SessionText exact = scanned(sql);
          EXPECT_FALSE(exact.worth_following() || exact.reads_diagnostics() ||
                       exact.reads_connection_id() || exact.reads_last_insert_id() ||
                       exact.releases_lock() || exact.kills() || exact.calls())
              << sql;
        }
      }
    }
  }
  EXPECT_FALSE(glanced("select session_track_gtids"));
  EXPECT_FALSE(glanced("select GET_LOCK('a', 1)"));
}

}  // namespace
}  // namespace weirpool::protocol::mysql
