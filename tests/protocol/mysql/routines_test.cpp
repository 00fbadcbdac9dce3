#include "protocol/mysql/routines.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/mysql/prepared_rig.hpp"

namespace weirpool::test::mysql {
namespace {

std::string procedure(std::string_view body) {
  return "CREATE DEFINER=`app`@`%` PROCEDURE `p`(IN a INT, OUT b VARCHAR(20))\n" +
         std::string(body);
}
bool leaves(std::string_view body, bool silent = false) {
  return !leaves_nothing(procedure(body), silent);
}

TEST(MysqlRoutines, BodiesThatLeaveNothing) {
  for (const char* body :
       {"select 1", "begin declare x int default 0; select count(*) into x from t; set b = x; end",
        "begin insert into t(v) values (a); insert into shop.t (v) select max(v) from t; end",
        "begin if (a > 1) then update t set v = ifnull(v, 0) + 1; end if; end",
        "begin declare continue handler for sqlexception begin end; replace t(v) values (1); end",
        "select @@session.sql_mode, lower('X')", "set session sort_buffer_size = 1",
        "begin start transaction; delete from `t` where (v = 1); commit; end",
        "begin /* ( */ select 1; -- (\n select 2; end", "insert ignore `t` (v) values (1)"}) {
    EXPECT_FALSE(leaves(body)) << body;
  }
}

TEST(MysqlRoutines, BodiesThatMayLeaveWhatNoReplyReports) {
  for (const char* body : {"select 1 into @x",
                           "select @x := 1",
                           "do get_lock('a', 1)",
                           "do GET_LOCK ('a', 1)",
                           "do `get_lock`('a', 1)",
                           "call q()",
                           "begin if a then call q(); end if; end",
                           "execute s",
                           "set role x",
                           "set resource group x",
                           "flush tables with read lock",
                           "xa start 'x'",
                           "select 1 /*!50000into @x*/",
                           "do /*!50000get_lock*/('a', 1)",
                           "select f(1)",
                           "select f (1)",
                           "select shop.f(1)",
                           "select `f`(1)",
                           "select `)`(1)",
                           "select f/* ( */(1)",
                           "select f/*!(1)*/",
                           "select shop.lower(1)",
                           "select f -- x\n (1)",
                           "set session_track_schema = off",
                           "insert into t values (f(1))",
                           "select 1 /*",
                           "@"}) {
    EXPECT_TRUE(leaves(body)) << body;
  }
}

TEST(MysqlRoutines, WhereNothingIsReportedItMayNotLeaveThatEither) {
  EXPECT_TRUE(leaves("begin set b = 1; end", true));
  EXPECT_TRUE(leaves("create temporary table t (i int)", true));
  EXPECT_FALSE(leaves("signal sqlstate '45000'", true));
}

TEST(MysqlRoutines, WhatIsNoDefinitionProvesNothing) {
  for (const char* text :
       {"", "select 1", "CREATE DEFINER=`a`@`b` FUNCTION `p`() select 1",
        "CREATE DEFINER=\"a\"@\"b\" PROCEDURE \"p\"() select 1", "CREATE DEFINER=`a",
        "CREATE DEFINER=`a`@x PROCEDURE `p`() select 1", "CREATE PROCEDURE `p`() select 1"}) {
    EXPECT_FALSE(leaves_nothing(text, false)) << text;
  }
  EXPECT_TRUE(leaves_nothing("CREATE DEFINER=`a``@(`@`%` PROCEDURE `it``s`() select 1", false));
  EXPECT_TRUE(leaves_nothing("CREATE DEFINER=`a_role` PROCEDURE `p`() select 1", false));
}

TEST(MysqlRoutines, TheNameOfWhatIsCalled) {
  const auto asks = [](std::string_view sql) {
    const Routine routine = called_routine(sql, "shop");
    return routine.name.empty() ? std::string() : routine.definition_sql();
  };
  const std::string mine = "SHOW CREATE PROCEDURE `shop`.`p`";
  for (const char* sql : {"call p()", "CALL p", "call p(1, 'it calls @x', ?, -1.5, null);",
                          "call `p` ( )", "/* c */ call p()", "call p(lower('X'))"}) {
    EXPECT_EQ(asks(sql), mine) << sql;
  }
  EXPECT_EQ(asks("call `a b`.p()"), "SHOW CREATE PROCEDURE `a b`.`p`");
  for (const char* sql :
       {"select 1", "call p(@x)", "call p(f())", "call `a``b`()", "call", "call .p",
        "call p(get_lock('a', 1))", "call 'p'()", "call p(1, 'it\\'s @x')"}) {
    EXPECT_EQ(asks(sql), "") << sql;
  }
  EXPECT_TRUE(called_routine("call p()", "").name.empty());
  EXPECT_TRUE(called_routine("call p()", "a`b").name.empty());
}

TEST(MysqlRoutines, AnErrorMaySayThatNothingHasBegun) {
  const Routine routine{"shop", "p"};
  EXPECT_TRUE(routine.not_begun(1305, "PROCEDURE shop.P does not exist"));
  EXPECT_TRUE(routine.not_begun(1370, "execute command denied … for routine 'shop.p'"));
  EXPECT_FALSE(routine.not_begun(1305, "PROCEDURE shop.q does not exist"));
  EXPECT_FALSE(routine.not_begun(1644, "shop.p"));
  EXPECT_FALSE((Routine{"shop", ""}.not_begun(1305, "shop.")));
}

TEST(MysqlRoutines, OnlyWhatWasSeenBeforeIsKnown) {
  RoutineMemory memory;
  const Routine p{"shop", "p"};
  const Routine q{"shop", "q"};
  EXPECT_FALSE(memory.knows(p, "a"));
  EXPECT_TRUE(memory.knows(p, "a"));
  EXPECT_FALSE(memory.knows(q, "a"));
  EXPECT_FALSE(memory.knows(p, "b")) << "it has been replaced";
  EXPECT_FALSE(memory.knows(p, "a")) << "and back";
  EXPECT_TRUE(memory.knows(p, "a"));
}

TEST(MysqlRoutines, CallsAreAskedAboutOnceEach) {
  Calls calls;
  const auto call = [&](std::string name, bool failed) {
    calls.begin({"shop", std::move(name)});
    return calls.end(failed);
  };
  EXPECT_TRUE(call("p", false) && call("p", false) && call("p", true));
  EXPECT_EQ(calls.take(), (Calls::Call{{"shop", "p"}, true}));
  EXPECT_EQ(calls.take(), (Calls::Call{{"shop", "p"}, false}));
  EXPECT_TRUE(calls.empty());
  EXPECT_FALSE(call("", false));
  calls.begin({"shop", "p"});
  calls.failed(1305, "PROCEDURE shop.p does not exist");
  EXPECT_TRUE(calls.end(true) && calls.empty());
  bool taken = true;
  for (int i = 0; i < 40 && taken; ++i) taken = call("p" + std::to_string(i), false);
  EXPECT_FALSE(taken) << "a bounded number";
}

// ---------------------------------------------------------------------- in a conversation

std::string definition_reply(std::string_view text) {
  const std::string fields = lenenc("p") + lenenc("STRICT") + lenenc(text);
  return count(1, 3) + definition(2) + definition(3) + definition(4) + packet(5, fields) + end(6);
}
std::string last_id_reply() { return count(1, 1) + definition(2) + row(3, "0") + end(4); }
const std::string kAsked = query("SHOW CREATE PROCEDURE `shop`.`p`");

ConversationStart with(RoutinePolicy policy, std::string version = "9.7.0") {
  ConversationStart made = start(kModern, std::move(version));
  made.catalog = std::make_shared<Catalog>(2, policy);
  return made;
}

/// A client that calls p and hears OK; the question for the id has been answered.
void call(Rig& rig, const std::string& reply = ok(1)) {
  rig.client(query("call p()"));
  rig.server(reply);
  rig.server(last_id_reply());
}

TEST(MysqlRoutines, WhatIsProvenToLeaveNothingCostsNoReset) {
  Rig rig;
  call(rig);
  EXPECT_TRUE(rig.wire.to_backend().ends_with(kAsked));
  EXPECT_EQ(rig.releases(), 0u);
  const std::string heard = rig.wire.to_client();
  for (const char c : definition_reply(procedure("select 1"))) rig.server(std::string(1, c));
  EXPECT_EQ(rig.releases(), 1u);
  EXPECT_TRUE(rig.reset_on_release) << "seen for the first time: it may be another one by now";
  EXPECT_EQ(rig.wire.to_client(), heard);
  call(rig);
  rig.server(definition_reply(procedure("select 1")));
  EXPECT_EQ(rig.releases(), 2u);
  EXPECT_FALSE(rig.reset_on_release);
  EXPECT_EQ(rig.wire.breach(), "");
}

TEST(MysqlRoutines, WhatMayHaveBeenLeftPinsUntilAReset) {
  for (const std::string& reply : {definition_reply(procedure("do get_lock('a', 1)")), err(1, 1305),
                                   definition_reply(std::string(2 * kMaxRecording, 'x')),
                                   count(1, 3) + definition(2) + definition(3) + definition(4) +
                                       packet(5, lenenc("p") + lenenc("") + "\xFB") + end(6)}) {
    Rig rig;
    call(rig);
    rig.server(reply);
    EXPECT_EQ(rig.releases(), 0u);
    EXPECT_EQ(rig.pin(), "routine");
    rig.client(command(com::reset_connection));
    rig.server(ok(1) + end(1) + ok(1) + ok(1));
    EXPECT_EQ(rig.releases(), 1u);
    EXPECT_EQ(rig.wire.breach(), "");
  }
}

TEST(MysqlRoutines, OnlyWhatMayHaveTakenARoleIsBeyondReset) {
  const auto beyond = [](const std::string& reply) {
    Rig rig;
    call(rig);
    rig.server(reply);
    EXPECT_EQ(rig.pin(), "routine");
    return rig.backend.beyond_reset();
  };
  EXPECT_FALSE(beyond(definition_reply(procedure("do get_lock('a', 1)"))));
  for (const char* body :
       {"SET ROLE r", "begin call q(); end", "begin prepare s from @a; execute s; end"}) {
    EXPECT_TRUE(beyond(definition_reply(procedure(body)))) << body;
  }
  EXPECT_TRUE(beyond(err(1, 1305)));
  EXPECT_TRUE(beyond(definition_reply(procedure(std::string(2 * kMaxRecording, 'x')))));
}

TEST(MysqlRoutines, WhatTheServerReportsPinsAndOnlyARoleIsStillInQuestion) {
  for (const bool role : {false, true}) {
    Rig rig;
    rig.client(query("call p()"));
    rig.server(ok(1, {.changes = state_changed()}));
    EXPECT_EQ(rig.pin(), "routine");
    EXPECT_TRUE(rig.wire.to_backend().ends_with(kAsked));
    rig.server(
        definition_reply(procedure(role ? "set role r" : "create temporary table t (a int)")));
    EXPECT_EQ(rig.pin(), "routine");
    EXPECT_EQ(rig.releases(), 0u);
    EXPECT_EQ(rig.backend.beyond_reset(), role);
    EXPECT_EQ(rig.wire.breach(), "");
  }
}

TEST(MysqlRoutines, WhoLeavesBeforeTheAnswerMayHaveTakenARole) {
  Rig rig;
  rig.client(query("begin"));
  rig.server(ok(1, {.status = 3}));
  rig.client(query("call p()"));
  rig.server(ok(1, {.status = 3}));
  EXPECT_TRUE(rig.conversation.needs_reset());
  rig.conversation.detach();
  EXPECT_TRUE(rig.backend.beyond_reset());
}

TEST(MysqlRoutines, MysqlReportsBehindAnErrorWithTheNextReply) {
  Rig rig;
  rig.client(query("call p()"));
  rig.server(err(1, 1644));
  EXPECT_TRUE(rig.wire.to_backend().ends_with(query("SHOW WARNINGS")));
  rig.server(count(1, 1) + definition(2) + row(3) + end(4, {.changes = state_changed()}));
  EXPECT_EQ(rig.pin(), "session_state");
  rig.server(definition_reply(procedure("signal sqlstate '45000'")));
  rig.client(query("show warnings"));
  EXPECT_NE(rig.wire.to_client().find(row(3)), std::string::npos) << "answered from what was kept";
}

TEST(MysqlRoutines, MariadbReportsNothingBehindAnError) {
  Rig rig(start(kModern, "10.11.9-MariaDB"));
  rig.client(query("call p()"));
  rig.server(err(1, 1644));
  rig.server(no_warnings());
  rig.server(last_id_reply());
  rig.server(definition_reply(procedure("begin set b = 1; signal sqlstate '45000'; end")));
  EXPECT_EQ(rig.pin(), "routine");
}

TEST(MysqlRoutines, InsideATransactionTheQuestionWaits) {
  Rig rig;
  rig.client(query("begin"));
  rig.server(ok(1, {.status = 3}));
  rig.client(query("call p()"));
  rig.server(ok(1, {.status = 3}));
  rig.client(query("call p()"));
  rig.server(ok(1, {.status = 3}));
  EXPECT_FALSE(rig.wire.to_backend().ends_with(kAsked));
  EXPECT_TRUE(rig.conversation.needs_reset()) << "should the client leave now";
  rig.client(query("commit"));
  rig.server(ok(1));
  rig.server(last_id_reply());
  EXPECT_TRUE(rig.wire.to_backend().ends_with(kAsked));
  rig.server(definition_reply(procedure("select 1")));
  EXPECT_EQ(rig.releases(), 1u);
}

TEST(MysqlRoutines, APreparedCallIsLookedUpInItsOwnSchema) {
  Rig rig;
  rig.client(prepare("call p(?)"));
  rig.server(prepared(55, 1));
  rig.client(query("use other"));
  rig.server(ok(1, {.changes = schema("other") + state_changed()}));
  rig.client(execute(1, kString, lenenc("x")));
  rig.server(ok(1));
  rig.server(last_id_reply());
  EXPECT_TRUE(rig.wire.to_backend().ends_with(kAsked));
}

TEST(MysqlRoutines, Policies) {
  Rig pins(with(RoutinePolicy::pin));
  pins.client(query("call p()"));
  pins.server(ok(1));
  EXPECT_EQ(pins.pin(), "routine");

  Rig refuses(with(RoutinePolicy::refuse));
  refuses.client(query("call p()"));
  EXPECT_NE(refuses.wire.to_client().find("CALL is refused"), std::string::npos);
  refuses.client(prepare("call p()"));
  EXPECT_EQ(refuses.leases(), 0u);
  refuses.client(query("select 'call'"));
  EXPECT_EQ(refuses.leases(), 1u);

  Rig allows(with(RoutinePolicy::allow));
  call(allows, ok(1, {.changes = state_changed()}));
  EXPECT_EQ(allows.releases(), 1u);
  EXPECT_TRUE(allows.reset_on_release);
  EXPECT_FALSE(allows.wire.to_backend().ends_with(kAsked));
}

TEST(MysqlRoutines, LongArgumentsAreNotLookedInto) {
  const std::string data(3 * protocol::kMaxNeed, 'x');
  Rig rig;
  rig.client(query("call p('" + data + "')"));
  rig.server(ok(1));
  rig.server(last_id_reply());
  EXPECT_TRUE(rig.wire.to_backend().ends_with(kAsked));
  rig.server(definition_reply(procedure("select 1")));
  EXPECT_EQ(rig.releases(), 1u);
  for (const char* behind : {"', @x)", "'); call q()", "', get_lock('a', 1))"}) {
    Rig pinned;
    pinned.client(query("call p('" + data + behind));
    pinned.server(ok(1));
    pinned.server(last_id_reply());
    EXPECT_EQ(pinned.releases(), 0u) << behind;
    EXPECT_NE(pinned.pin(), "");
  }
  EXPECT_TRUE(called_routine("call p", "shop", false).name.empty()) << "the name may go on";
}

TEST(MysqlRoutines, WhatIsReportedLateIsForgottenTooIfThatIsWanted) {
  Rig rig(with(RoutinePolicy::allow));
  rig.client(query("call p()"));
  rig.server(err(1, 1644));
  rig.server(count(1, 1) + definition(2) + row(3) + end(4, {.changes = state_changed()}));
  rig.server(last_id_reply());
  EXPECT_EQ(rig.releases(), 1u);
  EXPECT_TRUE(rig.reset_on_release);
}

TEST(MysqlRoutines, SeveralStatementsAtOnceAreNotLookedInto) {
  Rig rig;
  rig.client(query("call p(); call q()"));
  rig.server(ok(1, {.status = 10}) + ok(2));
  EXPECT_EQ(rig.pin(), "routine");
}

}  // namespace
}  // namespace weirpool::test::mysql
