#include "protocol/mysql/session_tracker.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {
namespace {

struct TrackerRig {
  ServerState backend{facts(), 0, "shop", 7};
  SessionTracker tracker{backend.session, status::autocommit};

  void hear(std::string_view sql, const Ok& fields, std::uint8_t byte = com::query) {
    const std::string payload = ok_payload(fields);
    const OkPacket ok = *OkPacket::parse(protocol::bytes_of(payload));
    tracker.follow(deed_of(sql, scanned(sql)));
    tracker.ok(byte, scanned(sql), ok, 3, backend);
    tracker.note_insert_id(scanned(sql), ok, GivenNumbers::of(sql), backend);
    tracker.ended(scanned(sql), backend);
  }
  static SessionText scanned(std::string_view sql) {
    SessionText text;
    text.begin({});
    text.feed(protocol::bytes_of(sql));
    text.finish();
    return text;
  }
  std::string pin() const { return std::string(reason_of(tracker.pins(backend))); }
};

TEST(MysqlSessionTracker, TransactionsByStatusFlagsAndCharacteristics) {
  TrackerRig rig;
  rig.hear("begin", {.status = 3});
  EXPECT_FALSE(rig.tracker.outside_transaction());
  rig.hear("commit", {});
  EXPECT_TRUE(rig.tracker.outside_transaction());
  rig.hear("set transaction read only", {.changes = change(4, lenenc("SET TRANSACTION …;"))});
  EXPECT_FALSE(rig.tracker.outside_transaction());
  EXPECT_EQ(rig.pin(), "");
  rig.hear("commit", {.changes = change(4, lenenc(""))});
  EXPECT_TRUE(rig.tracker.outside_transaction());
  rig.hear("lock", {.changes = change(5, lenenc("_______L"))});
  EXPECT_FALSE(rig.tracker.outside_transaction());
  rig.hear("unlock tables", {.changes = change(5, lenenc("________"))});
  EXPECT_TRUE(rig.tracker.outside_transaction());
}

TEST(MysqlSessionTracker, ErrorsTellNothing) {
  TrackerRig rig;
  rig.tracker.error(TrackerRig::scanned("select"), rig.backend);
  EXPECT_TRUE(rig.tracker.outside_transaction());
  rig.tracker.error(TrackerRig::scanned("call p()"), rig.backend);
  EXPECT_FALSE(rig.tracker.outside_transaction());
  rig.hear("select 1", {});
  EXPECT_TRUE(rig.tracker.outside_transaction());
}

TEST(MysqlSessionTracker, SettingsGoToBothSides) {
  TrackerRig rig;
  rig.hear("set time_zone='x'", {.changes = variable("time_zone", "x") + state_changed()});
  rig.hear("use other", {.changes = schema("other") + state_changed()});
  EXPECT_EQ(rig.tracker.wanted().schema, "other");
  EXPECT_TRUE(rig.tracker.wanted().same_settings(rig.backend.session));
  EXPECT_EQ(rig.pin(), "");
}

TEST(MysqlSessionTracker, ReasonsToPin) {
  const auto pin_after = [](std::string_view sql, const Ok& fields,
                            std::uint8_t byte = com::query) {
    TrackerRig rig;
    rig.hear(sql, fields, byte);
    return rig.pin();
  };
  const std::string set_a = variable("a", "1") + state_changed();
  EXPECT_EQ(pin_after("set a=1", {.changes = set_a}), "");
  EXPECT_EQ(pin_after("set a=1; select 1", {.changes = set_a}), "session_state");
  EXPECT_EQ(pin_after("set a=1; set b=1", {.changes = set_a}), "");
  EXPECT_EQ(pin_after("set a=1; set b=1", {.changes = state_changed()}), "session_state");
  EXPECT_EQ(pin_after("set a=1; set role x", {}), "session_state");
  EXPECT_EQ(pin_after("set global a=1", {}), "");
  EXPECT_EQ(pin_after("set global a=1", {.changes = state_changed()}), "session_state");
  EXPECT_EQ(pin_after("call p()", {.changes = set_a}), "routine");
  EXPECT_EQ(pin_after("", {.changes = set_a}, com::stmt_execute), "session_state");
  EXPECT_EQ(pin_after("set role x", {}), "session_state");
  EXPECT_EQ(pin_after("set timestamp=1", {.changes = variable("timestamp", "1")}), "variables");
  EXPECT_EQ(pin_after("", {}, com::set_option), "");
  EXPECT_EQ(pin_after("drop database shop", {.changes = schema("")}), "schema");
  EXPECT_EQ(pin_after("select 1", {.changes = "\7"}), "session_state");
}

TEST(MysqlSessionTracker, WhatATransactionIsToldExplainsNoOtherSet) {
  TrackerRig rig;
  rig.hear("start transaction", {.status = 3, .changes = change(4, lenenc("START TRANSACTION;"))});
  rig.hear("set role admin", {.status = 3});
  rig.hear("commit", {.changes = change(4, lenenc(""))});
  EXPECT_EQ(rig.pin(), "session_state");
}

TEST(MysqlSessionTracker, WhichInsertIdsAreDoubtful) {
  const auto doubts = [](std::string_view sql, std::uint64_t told, bool rows = false) {
    TrackerRig rig;
    Ok fields{.insert_id = told};
    if (rows) fields.header = 0xFE;
    rig.hear(sql, fields);
    return rig.tracker.doubts_insert_id();
  };
  EXPECT_FALSE(doubts("insert into t (a) values ('x', 5)", 6)) << "generated";
  EXPECT_TRUE(doubts("insert into t values (6)", 6));
  EXPECT_TRUE(doubts("insert into t select * from u", 6));
  EXPECT_FALSE(doubts("insert into t select * from u", 0)) << "nothing has changed";
  EXPECT_TRUE(doubts("insert into t values () returning id", 0, true));
  EXPECT_TRUE(doubts("load data infile 'x' into table t", 6));
  EXPECT_TRUE(doubts("call p()", 0));
  EXPECT_TRUE(doubts("execute p", 6));
  EXPECT_TRUE(doubts("select last_insert_id(5)", 0, true));
  EXPECT_FALSE(doubts("select last_insert_id()", 0, true));
  EXPECT_FALSE(doubts("update s set i=last_insert_id(i+1)", 6)) << "told exactly";
  EXPECT_TRUE(doubts("update s set i=last_insert_id(i+1); insert into t values (6)", 6));
  EXPECT_FALSE(doubts("update t set a = 1", 0));
  EXPECT_FALSE(doubts("select 1", 0, true));
  TrackerRig failed;
  failed.tracker.error(TrackerRig::scanned("insert into t values (1), (1)"), failed.backend);
  EXPECT_TRUE(failed.tracker.doubts_insert_id());
  failed.hear("insert into t values ()", {.insert_id = 7});
  EXPECT_FALSE(failed.tracker.doubts_insert_id()) << "a certain one comes after it";
}

TEST(MysqlSessionTracker, WhatTheBackendSaysOfADoubtfulInsertId) {
  const auto learned = [](std::uint64_t theirs, std::optional<std::uint64_t> said) {
    TrackerRig rig;
    rig.hear("insert into t values ()", {.insert_id = 3});
    rig.backend.session.last_insert_id = theirs;
    rig.hear("insert into t values (9)", {.insert_id = 9});
    rig.tracker.learned_insert_id(said, rig.backend);
    EXPECT_FALSE(rig.tracker.doubts_insert_id());
    EXPECT_EQ(rig.backend.session.last_insert_id, said.value_or(9));
    EXPECT_EQ(rig.pin(), said ? "" : "last_insert_id");
    return rig.tracker.wanted().last_insert_id;
  };
  EXPECT_EQ(learned(3, 9), 9u) << "it was generated";
  EXPECT_EQ(learned(3, 3), 3u) << "it was given";
  EXPECT_EQ(learned(77, 77), 3u) << "it was given, and what is there is another client's";
  EXPECT_EQ(learned(77, 10), 10u) << "what a later statement has generated";
  learned(3, std::nullopt);
}

TEST(MysqlSessionTracker, WhatAProcedureLeavesIsForgottenIfThatIsWanted) {
  TrackerRig rig;
  rig.hear("call p()", {});
  EXPECT_EQ(rig.pin(), "");
  EXPECT_FALSE(rig.tracker.dirty()) << "whoever asks decides";
  rig.tracker = SessionTracker(rig.backend.session, status::autocommit, true);
  rig.hear("call p()", {.changes = state_changed()});
  EXPECT_EQ(rig.pin(), "");
  EXPECT_TRUE(rig.tracker.dirty());
}

TEST(MysqlSessionTracker, ResetForgetsEverything) {
  TrackerRig rig;
  rig.hear("select @x", {.status = 3, .insert_id = 8, .changes = variable("a", "1")});
  rig.tracker.reset(SessionState{}, 2);
  EXPECT_TRUE(rig.tracker.outside_transaction());
  EXPECT_EQ(rig.tracker.wanted().last_insert_id, 0u);
  EXPECT_EQ(rig.tracker.status(), 2);
  EXPECT_FALSE(rig.tracker.failed());
}

}  // namespace
}  // namespace weirpool::test::mysql
