#include <gtest/gtest.h>

#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

std::unique_ptr<Rig> starter() {
  return std::make_unique<Rig>(
      std::vector<postgres::NamedValue>{{"timezone", "Asia/Tokyo"}, {"work_mem", "9MB"}});
}

const std::string kInTokyo = status("TimeZone", "Asia/Tokyo");
const std::string kStarted =
    row_description() + row_of({"Asia/Tokyo", "9MB"}) + command("SELECT 1") + kInTokyo + ready();
const std::string kSetAgain =
    query("SELECT pg_catalog.set_config(E'timezone',E'Asia/Tokyo',false)");

std::string restored_to(const std::string& value, const std::string& behind) {
  return row_description() + row_of({value}) + command("SELECT 1") + behind + ready('T');
}

TEST(ConversationRestore, InsideATransactionTheStartupValueIsBackBeforeTheNextMessage) {
  const Script script{
      client(query("begin")),
      backend(kStarted),
      backend(command("BEGIN") + ready('T')),
      client(query("reset timezone") + query("show timezone")),
      backend(command("RESET") + status("TimeZone", "UTC") + ready('T')),
      backend(restored_to("Asia/Tokyo", kInTokyo)),
      backend(row_description() + row() + command("SHOW") + ready('T')),
      client(query("commit")),
      backend(command("COMMIT") + ready()),
  };
  const Outcome heard = play_all_ways(script, starter);
  EXPECT_EQ(heard.to_client, command("BEGIN") + ready('T') + command("RESET") +
                                 status("TimeZone", "UTC") + ready('T') + kInTokyo +
                                 row_description() + row() + command("SHOW") + ready('T') +
                                 command("COMMIT") + ready());
  EXPECT_NE(heard.to_backend.find(query("reset timezone") + kSetAgain + query("show timezone") +
                                  query("commit")),
            std::string::npos);
  EXPECT_FALSE(heard.attached);
}

TEST(ConversationRestore, NothingIsRestoredThatFailedOrWasRolledBackOrSetAgain) {
  const std::string set = "set timezone = 'PRC'";
  for (const auto& [text, answer] :
       {std::pair{std::string("reset timezone; nonsense"),
                  error("42601", "syntax error") + ready('E')},
        std::pair{"reset timezone; " + set, command("RESET") + command("SET") + ready('T')},
        std::pair{std::string("savepoint s; reset timezone; rollback to s"),
                  command("SAVEPOINT") + command("RESET") + command("ROLLBACK") + ready('T')}}) {
    const auto rig = starter();
    rig->wire.feed(Party::client, query("begin"));
    rig->wire.feed(Party::backend, kStarted);
    rig->wire.feed(Party::backend, command("BEGIN") + ready('T'));
    rig->wire.feed(Party::client, query(text));
    rig->wire.feed(Party::backend, answer);
    rig->wire.feed(Party::client, query("select 1"));
    EXPECT_EQ(rig->wire.to_backend().find(kSetAgain), std::string::npos) << text;
    EXPECT_TRUE(rig->wire.to_backend().ends_with(query("select 1"))) << text;
  }
}

TEST(ConversationRestore, AllOfThemAndInTheExtendedProtocol) {
  const auto rig = starter();
  rig->wire.feed(Party::client, query("begin"));
  rig->wire.feed(Party::backend, kStarted);
  rig->wire.feed(Party::backend, command("BEGIN") + ready('T'));
  rig->wire.feed(Party::client, parse("", "reset all") + bind_to("", "") + execute() + sync());
  EXPECT_EQ(rig->wire.to_backend().find("set_config(E'work_mem',E'9MB',false)"),
            rig->wire.to_backend().rfind("set_config(E'work_mem'"));
  rig->wire.feed(Party::backend, parse_complete() + bind_complete() + command("RESET") +
                                     status("TimeZone", "UTC") + ready('T'));
  EXPECT_NE(rig->wire.to_backend().find("set_config(E'work_mem',E'9MB',false)"),
            rig->wire.to_backend().rfind("set_config(E'work_mem'"));
  // One that fails fails the transaction, as the client will hear.
  rig->wire.feed(Party::backend, error("57014", "canceling statement") + ready('E'));
  rig->wire.feed(Party::client, query("rollback"));
  EXPECT_TRUE(rig->wire.to_backend().ends_with(query("rollback")));
  EXPECT_FALSE(rig->wire.ended());
}

TEST(ConversationRestore, WhoeverAskedForNothingPaysNothing) {
  Rig rig;
  rig.wire.feed(Party::client, query("begin") + query("reset timezone") + query("select 1"));
  EXPECT_EQ(rig.wire.to_backend(), query("begin") + query("reset timezone") + query("select 1"));
}

}  // namespace
}  // namespace weirpool::test::pg
