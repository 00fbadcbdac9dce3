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
    tracker.ok(byte, scanned(sql), *OkPacket::parse(protocol::bytes_of(payload)), 3, backend);
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
  rig.tracker.error(TrackerRig::scanned("select"));
  EXPECT_TRUE(rig.tracker.outside_transaction());
  rig.tracker.error(TrackerRig::scanned("call p()"));
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
  EXPECT_EQ(pin_after("call p()", {.changes = set_a}), "session_state");
  EXPECT_EQ(pin_after("", {.changes = set_a}, com::stmt_execute), "session_state");
  EXPECT_EQ(pin_after("set role x", {}), "session_state");
  EXPECT_EQ(pin_after("set timestamp=1", {.changes = variable("timestamp", "1")}), "variables");
  EXPECT_EQ(pin_after("", {}, com::set_option), "");
  EXPECT_EQ(pin_after("select last_insert_id(5)", {}), "last_insert_id");
  EXPECT_EQ(pin_after("update s set i=last_insert_id(i+1)", {.insert_id = 6}), "");
  EXPECT_EQ(pin_after("drop database shop", {.changes = schema("")}), "schema");
  EXPECT_EQ(pin_after("select 1", {.changes = "\7"}), "session_state");
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
