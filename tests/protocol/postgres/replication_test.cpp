#include "protocol/postgres/replication.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

using postgres::ReplicationStartups;

const std::string kBoth = message('W', std::string(3, '\0'));

struct Walsender {
  Walsender()
      : wire(conversation, [this](const Verdict& verdict, Wire&) {
          if (verdict.kind != Kind::lease) return;
          if (refuse) {
            conversation.refuse(Fault::pool_timeout, "busy");
          } else {
            conversation.attach(*backend);
          }
          refuse = false;
        }) {}

  std::unique_ptr<postgres::Backend> backend = fresh_backend();
  postgres::ReplicationConversation conversation;
  bool refuse = false;
  Wire wire;
};

TEST(Replication, StartupParametersHaveNumbers) {
  ReplicationStartups startups;
  auto one = startups.variant_of({{"replication", "true"}});
  const auto two = startups.variant_of({{"application_name", "x"}, {"replication", "true"}});
  const std::uint32_t number = *one;
  EXPECT_NE(number, 0U);
  EXPECT_NE(*one, *two);
  EXPECT_EQ(startups.variant_of({{"replication", "true"}}), one);
  EXPECT_EQ(startups.parameters_of(*two).size(), 2U);
  one.reset();
  EXPECT_EQ(*startups.variant_of({{"replication", "true"}}), number) << "one that comes back";
  EXPECT_TRUE(startups.parameters_of(0).empty());
  EXPECT_TRUE(startups.parameters_of(77).empty());
}

TEST(Replication, TheirNumberIsBounded) {
  ReplicationStartups startups;
  std::vector<ReplicationStartups::Variant> held;
  for (std::size_t i = 0; i < ReplicationStartups::kMax; ++i) {
    held.push_back(startups.variant_of({{"application_name", std::to_string(i)}}));
    EXPECT_NE(held.back(), nullptr);
  }
  EXPECT_EQ(startups.variant_of({{"application_name", "one more"}}), nullptr);
  EXPECT_EQ(startups.variant_of({{"application_name", "7"}}), held[7]);
  // Those of clients that have gone make room, and their numbers are nobody else's.
  const std::uint32_t gone = *held[7];
  held[7].reset();
  const auto fresh = startups.variant_of({{"application_name", "one more"}});
  ASSERT_NE(fresh, nullptr);
  EXPECT_GT(*fresh, ReplicationStartups::kMax);
  EXPECT_TRUE(startups.parameters_of(gone).empty());
}

TEST(Replication, BothDirectionsStreamAtOnceHoweverTheyAreCut) {
  const std::string up = query("START_REPLICATION 0/0") + copy_data("status") + copy_data("more");
  const std::string down =
      kBoth + copy_data("wal") + notice("hm") + copy_data(std::string(9000, 'w'));
  for_every_cut({up.size(), 40}, [&](Cut cut) {
    Walsender sender;
    play(sender.wire, {client(up), backend(down), client(copy_done()), backend(copy_done())}, cut);
    EXPECT_EQ(sender.wire.breach(), "");
    EXPECT_EQ(sender.wire.to_backend(), up + copy_done());
    EXPECT_EQ(sender.wire.to_client(), down + copy_done());
  });
}

TEST(Replication, TheBackendIsNeverAnybodyElses) {
  Walsender sender;
  EXPECT_TRUE(sender.conversation.at_boundary());
  EXPECT_EQ(sender.conversation.pin_reason(), "");
  play(sender.wire, {client(query("IDENTIFY_SYSTEM")), backend(row() + command("X") + ready())});
  EXPECT_FALSE(sender.conversation.at_boundary());
  EXPECT_TRUE(sender.conversation.needs_reset());
  EXPECT_TRUE(sender.conversation.executing());
  EXPECT_EQ(sender.conversation.pin_reason(), "replication");
  EXPECT_EQ(sender.wire.count(Kind::release), 0U);
  sender.wire.feed(Party::client, terminate());
  EXPECT_EQ(sender.wire.events().back(), Kind::done);
}

TEST(Replication, ABusyPoolIsAnsweredAndTheSessionKept) {
  Walsender sender;
  sender.refuse = true;
  sender.wire.feed(Party::client, query("IDENTIFY_SYSTEM"));
  EXPECT_EQ(tags(sender.wire.to_client()), "EZ");
  sender.wire.feed(Party::client, query("IDENTIFY_SYSTEM"));
  EXPECT_EQ(sender.wire.to_backend(), query("IDENTIFY_SYSTEM"));
}

TEST(Replication, LastWordsAndBadLengths) {
  Walsender lost;
  play(lost.wire, {client(query("X")), backend(error("57P01", "terminating", "FATAL"))});
  EXPECT_EQ(lost.conversation.backend_lost(false).fault, Fault::none);
  Walsender silent;
  silent.wire.feed(Party::client, query("X"));
  EXPECT_EQ(silent.conversation.backend_lost(false).fault, Fault::backend_lost);
  silent.wire.feed(Party::backend, std::string("d\0\0\0\1", 5));
  EXPECT_EQ(silent.wire.fault(), Fault::backend_violation);
  Walsender odd;
  odd.wire.feed(Party::client, copy_data("x"));
  EXPECT_EQ(odd.wire.fault(), Fault::protocol_violation);
}

}  // namespace
}  // namespace weirpool::test::pg
