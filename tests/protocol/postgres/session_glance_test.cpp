#include "protocol/postgres/session_glance.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocol/postgres/session_text.hpp"
#include "protocol/postgres/session_vocabulary.hpp"

namespace weirpool::protocol::postgres {
namespace {

TextEffects found_exactly(std::string_view text) {
  TextScan scan;
  scan.feed(text);
  return scan.finish();
}

TEST(PostgresSessionGlance, SeesThatMostTextsLeaveNothing) {
  const std::vector<std::string> texts{
      "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;",
      "select 1",
      "select 1 ; \n ",
      "/* trace */ -- and more\n select 1",
      "update t set a = $1, b = 'it''s' where c = $2",
      "insert into \"T\" (\"a\", e) values (E'\\'', 0x1f, 1e5) on conflict do update set a = 1",
      "with x as (select 1) delete from t using x where x.a = -1",
      "select e\xcc\x81"
      "e, \"\xc3\xa9\" from t /* local copy of the globals, then begin */",
      "select pg_typeof(a), pgcrypto, tempo, temp_1, temper, currvals, p from pg_class",
      "select a$1 from t",
      std::string(3000, 'x').insert(0, "select "),
      std::string("select 1\0", 9),
  };
  for (const std::string& text : texts) {
    EXPECT_TRUE(nothing_at_a_glance(text)) << text;
    EXPECT_EQ(found_exactly(text), TextEffects{}) << text;
  }
}

TEST(PostgresSessionGlance, LeavesEverythingElseToTheScan) {
  const std::vector<std::string> texts{
      "",
      "set a = 1",
      "listen x",
      "(select 1)",
      "\"select\" 1",
      "discard all",
      "deallocate x",
      "select 1; set a = 1",
      "select ';'",
      "select U&\"\\0073et_config\"('a', 'b', false)",
      "select $a$x$a$temp",
      "select $$x$$",
      "select 1 $",
      "select 1 into pg_temp.t",
      "select * from PG_TEMP_3.t",
      "/* no end select 1",
  };
  for (const std::string& text : texts) EXPECT_FALSE(nothing_at_a_glance(text)) << text;
}

/// Wherever the scan finds one of the words, it is not overlooked here.
TEST(PostgresSessionGlance, OverlooksNoWordThatTheScanFinds) {
  const std::vector<std::string> fronts{"",   "1",    "$1",   ".",  "'x'",    "\"",   "(",
                                        "::", "/**/", "--\n", "a.", "E'\\''", "$1$2", "\n"};
  const std::vector<std::string> backs{"", "(1)", "\"", "'x'", " t", "/**/", "--", "::", ";"};
  for (const auto& [word, means] : kMeanings) {
    std::string capitals(word);
    for (char& c : capitals) c = c == '_' ? c : static_cast<char>(c & ~0x20);
    for (const std::string& spelled : {std::string(word), capitals}) {
      for (const std::string& front : fronts) {
        for (const std::string& back : backs) {
          for (const char* lead : {"select ", "update x set a = ", "select 1 into "}) {
            const std::string text = lead + front + spelled + back;
            EXPECT_EQ(effects_of(text), found_exactly(text)) << text;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace weirpool::protocol::postgres
