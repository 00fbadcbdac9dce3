// Translation of replies, for clients of every dialect.
#include "protocol/mysql/response.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {
namespace {

std::string reply_to(Rig& rig, const std::string& asked, const std::string& answer) {
  rig.client(asked);
  const std::size_t before = rig.wire.to_client().size();
  rig.server(answer);
  EXPECT_EQ(rig.wire.breach(), "");
  return rig.wire.to_client().substr(before);
}

std::string translated(const std::string& asked, const std::string& answer) {
  Rig rig(start(kOldEof));
  const std::string heard = reply_to(rig, asked, answer);
  // The same, one byte at a time.
  Rig slow(start(kOldEof));
  slow.client(asked);
  for (const char c : answer) slow.server(std::string(1, c));
  EXPECT_EQ(slow.wire.to_client(), heard);
  EXPECT_EQ(slow.wire.breach(), "");
  return heard;
}

TEST(MysqlResponse, ModernClientGetsTheBytesAsTheyAre) {
  Rig rig;
  const std::string reply = count(1, 2) + definition(2) + definition(3) + row(4) +
                            end(5, {.warnings = 3, .changes = variable("statement_id", "9")});
  EXPECT_EQ(reply_to(rig, query("select 1"), reply), reply);
  rig.server(no_warnings());
  EXPECT_EQ(rig.releases(), 1u);
}

TEST(MysqlResponse, EofIsPutInAndEverythingBehindIsRenumbered) {
  const std::string reply = count(1, 1) + definition(2) + row(3) + row(4, "") +
                            end(5, {.warnings = 3, .changes = variable("statement_id", "9")});
  EXPECT_EQ(translated(query("select 1"), reply),
            count(1, 1) + definition(2) + eof(3) + row(4) + row(5, "") + eof(6, 2, 3));
}

TEST(MysqlResponse, EmptyResultAndErrorBehindColumns) {
  EXPECT_EQ(translated(query("select 1"), count(1, 1) + definition(2) + end(3)),
            count(1, 1) + definition(2) + eof(3) + eof(4));
  EXPECT_EQ(translated(query("select 1"), count(1, 1) + definition(2) + err(3)),
            count(1, 1) + definition(2) + eof(3) + err(4));
}

TEST(MysqlResponse, SessionChangesAreTakenOutInfoStays) {
  EXPECT_EQ(translated(query("update t"),
                       ok(1, {.warnings = 2, .info = "Rows", .changes = state_changed()})),
            ok(1, {.warnings = 2, .info = "Rows"}));
  EXPECT_EQ(translated(query("set a=1"), ok(1, {.changes = variable("a", "1")})), ok(1));
}

TEST(MysqlResponse, ResultsAndStatementsMayComeWithoutDefinitions) {
  for (const std::uint64_t bit : {cap::optional_metadata, cap::cache_metadata}) {
    for (const bool old : {false, true}) {
      Rig rig(start((old ? kOldEof : kModern) | bit));
      const std::string bare = packet(1, std::string("\1\0", 2)) + row(2) + end(3);
      EXPECT_EQ(reply_to(rig, query("select 1"), bare),
                old ? packet(1, std::string("\1\0", 2)) + eof(2) + row(3) + eof(4) : bare);
      const std::string full = packet(1, "\1\1") + definition(2) + row(3) + end(4);
      EXPECT_EQ(reply_to(rig, query("select 1"), full),
                old ? packet(1, "\1\1") + definition(2) + eof(3) + row(4) + eof(5) : full);
    }
  }
  Rig rig(start(kModern | cap::optional_metadata));
  const std::string prepared = packet(1, std::string("\0\1\0\0\0\2\0\1\0\0\0\0\0", 13));
  EXPECT_EQ(reply_to(rig, command(com::stmt_prepare, "select ?"), prepared), prepared);
  EXPECT_FALSE(rig.conversation.executing());
  Rig torn(start(kModern | cap::optional_metadata));
  reply_to(torn, query("select 1"), packet(1, "\1"));
  EXPECT_EQ(torn.wire.fault(), Fault::backend_violation);
}

TEST(MysqlResponse, MultiResultsRunOnInOneSequence) {
  const std::uint16_t more = status::autocommit | status::more_results;
  const std::string reply = ok(1, {.status = more}) + count(2, 1) + definition(3) + row(4) +
                            end(5, {.status = more}) + count(6, 1) + definition(7) + end(8);
  EXPECT_EQ(translated(query("a; b; c"), reply),
            ok(1, {.status = more}) + count(2, 1) + definition(3) + eof(4) + row(5) + eof(6, more) +
                count(7, 1) + definition(8) + eof(9) + eof(10));
  Rig rig;
  rig.client(query("a; b"));
  rig.server(ok(1, {.status = more}));
  EXPECT_EQ(rig.releases(), 0u);
  rig.server(err(2));
  rig.server(no_warnings());
  EXPECT_EQ(rig.releases(), 1u) << "an error ends all results";
}

TEST(MysqlResponse, CursorHasOneEofOnly) {
  const std::uint16_t cursor = status::autocommit | status::cursor_exists;
  Rig rig(start(kOldEof));
  const std::string prepared = packet(1, std::string("\0\1\0\0\0\1\0\2\0\0\0\0", 12));
  const std::string heard = reply_to(rig, command(com::stmt_prepare, "select ?, ?"),
                                     prepared + definition(2) + definition(3) + definition(4));
  EXPECT_EQ(heard, prepared + definition(2) + definition(3) + eof(4) + definition(5) + eof(6));
  const std::string id("\1\0\0\0", 4);
  EXPECT_EQ(reply_to(rig, command(com::stmt_execute, id + std::string("\1\1\0\0\0", 5)),
                     count(1, 1) + definition(2) + end(3, {.status = cursor})),
            count(1, 1) + definition(2) + eof(3, cursor));
  EXPECT_EQ(reply_to(rig, command(com::stmt_fetch, id + std::string("\2\0\0\0", 4)),
                     packet(1, std::string("\0\0x", 3)) + end(2)),
            packet(1, std::string("\0\0x", 3)) + eof(2));
}

TEST(MysqlResponse, FieldListStatisticsAndOption) {
  EXPECT_EQ(translated(command(com::field_list, std::string("t\0", 2)),
                       definition(1) + definition(2) + end(3)),
            definition(1) + definition(2) + eof(3));
  EXPECT_EQ(translated(command(com::statistics), packet(1, "Uptime: 1")), packet(1, "Uptime: 1"));
  EXPECT_EQ(translated(command(com::set_option, std::string("\1\0", 2)), end(1)), eof(1));
}

TEST(MysqlResponse, MoreThan255PacketsWrap) {
  std::string reply = count(1, 1) + definition(2);
  std::string wanted = count(1, 1) + definition(2) + eof(3);
  for (unsigned i = 3; i < 700; ++i) {
    reply += row(i & 0xFF);
    wanted += row((i + 1) & 0xFF);
  }
  reply += end(700 & 0xFF);
  wanted += eof(701 & 0xFF);
  Rig rig(start(kOldEof));
  EXPECT_TRUE(reply_to(rig, query("select"), reply) == wanted);
  EXPECT_EQ(rig.releases(), 1u);
}

TEST(MysqlResponse, RowsOfSixteenMegabytesAreNeverLookedInto) {
  Rig rig(start(kOldEof));
  // The continuations look like the end of rows and like an error.
  const std::string big = "\xFE" + std::string(kMaxPayload - 1, '\xFF');
  const std::string reply = count(1, 1) + definition(2) + packet(3, big) +
                            packet(4, std::string("\xFE\0\0\2\0\0\0", 7)) + packet(5, big) +
                            packet(6, "") + packet(7, big) + packet(8, big) + packet(9, "") +
                            row(10) + end(11);
  const std::string heard = reply_to(rig, query("select"), reply);
  EXPECT_EQ(heard.size(), reply.size() + 9 - 2);
  EXPECT_TRUE(heard.ends_with(row(11) + eof(12)));
  EXPECT_EQ(rig.releases(), 1u);
}

TEST(MysqlResponse, LongOkIsCollectedTooLongIsAViolation) {
  const std::string info(20000, 'i');
  EXPECT_EQ(translated(query("update t"), ok(1, {.info = info, .changes = state_changed()})),
            ok(1, {.info = info}));
  EXPECT_EQ(translated(query("select"), count(1, 1) + definition(2) +
                                            end(3, {.info = info, .changes = state_changed()})),
            count(1, 1) + definition(2) + eof(3) + eof(4));
  Rig rig;
  rig.client(query("update t"));
  rig.server(ok(1, {.info = std::string(70000, 'i')}));
  EXPECT_EQ(rig.wire.fault(), Fault::backend_violation);
}

TEST(MysqlResponse, NonsenseIsAViolation) {
  const std::vector<std::string> bad{
      packet(2, "x"),                         // out of order
      packet(1, ""),                          // empty
      packet(1, std::string("\0\1", 2)),      // truncated OK
      ok(1) + ok(2),                          // one reply too many: the idle check
      packet(1, "\xFC"),                      // truncated count
      packet(1, std::string("\xFC\0\0", 3)),  // no columns
      count(1, 1) + packet(2, std::string("\xFE\0\0\0\0", 5)),
  };
  for (const std::string& bytes : bad) {
    Rig rig;
    rig.client(query("begin"));
    rig.server(bytes);
    EXPECT_TRUE(rig.wire.ended()) << bytes;
    EXPECT_TRUE(rig.wire.fault() == Fault::backend_violation ||
                rig.wire.fault() == Fault::backend_lost);
    EXPECT_EQ(rig.wire.breach(), "");
  }
}

TEST(MysqlResponse, AReplyThatEndsWithADefinitionHasComeWhole) {
  const std::string prepared = packet(1, std::string("\0\1\0\0\0\1\0\0\0\0\0\0", 12));
  const std::string last = definition(2);
  Rig rig;
  rig.client(command(com::stmt_prepare, "select 1"));
  rig.server(prepared + last.substr(0, 6));
  rig.client(command(com::ping));
  EXPECT_EQ(rig.releases(), 0u) << "its backend is still sending";
  rig.server(last.substr(6));
  EXPECT_EQ(rig.releases(), 1u);
  EXPECT_EQ(rig.wire.to_client(), prepared + last + ok(1));
  EXPECT_EQ(rig.wire.breach(), "");
}

/// What a client without DEPRECATE_EOF hears of a prepared statement.
std::string executed(std::string_view sql, const std::string& answer, std::size_t step) {
  Rig rig(start(kOldEof));
  rig.client(command(com::stmt_prepare, sql));
  rig.server(packet(1, std::string("\0\x37\0\0\0\0\0\0\0\0\0\0", 12)));
  const std::size_t before = rig.wire.to_client().size();
  rig.client(command(com::stmt_execute, std::string("\1\0\0\0\0\1\0\0\0", 9)));
  for (std::size_t at = 0; at < answer.size(); at += step) rig.server(answer.substr(at, step));
  EXPECT_EQ(rig.wire.breach(), "");
  return rig.wire.to_client().substr(before);
}

TEST(MysqlResponse, TheEofBehindTheColumnsSaysThatOutParametersFollow) {
  constexpr std::uint16_t kOut = status::ps_out_params | status::more_results | status::autocommit;
  constexpr std::uint16_t kMore = status::more_results | status::autocommit;
  const std::string values = packet(3, std::string("\0\0v", 3));
  const std::string out = count(1, 1) + definition(2) + values + end(4, {.status = kOut}) + ok(5);
  const std::string told = count(1, 1) + definition(2) + eof(3, kOut) +
                           packet(4, std::string("\0\0v", 3)) + eof(5, kOut) + ok(6);
  const std::string rows = count(1, 1) + definition(2) + values + values.substr(0, 3) + "\4" +
                           values.substr(4) + end(5, {.status = kMore}) + ok(6);
  const std::string plain = count(1, 1) + definition(2) + eof(3) +
                            packet(4, std::string("\0\0v", 3)) +
                            packet(5, std::string("\0\0v", 3)) + eof(6, kMore) + ok(7);
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
    EXPECT_EQ(executed("call p(?)", out, step), told) << step;
    EXPECT_EQ(executed("call p(?)", rows, step), plain) << step;
    const std::string failed = count(1, 1) + definition(2) + values + err(4);
    EXPECT_EQ(executed("call p(?)", failed, step),
              count(1, 1) + definition(2) + eof(3) + packet(4, std::string("\0\0v", 3)) + err(5));
  }
  const std::string long_value = std::string("\0\0", 2) + std::string(protocol::kMaxNeed, 'x');
  const std::string longer =
      count(1, 1) + definition(2) + packet(3, long_value) + end(4, {.status = kOut}) + ok(5);
  EXPECT_EQ(executed("call p(?)", longer, 1000),
            count(1, 1) + definition(2) + eof(3) + packet(4, long_value) + eof(5, kOut) + ok(6));
  EXPECT_EQ(executed("select 1", out, 1000).substr(0, told.size()).find(eof(3, kOut)),
            std::string::npos)
      << "what calls nothing is not looked into";
}

}  // namespace
}  // namespace weirpool::test::mysql
