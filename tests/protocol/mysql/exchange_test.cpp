#include "protocol/mysql/exchange.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/mysql/conversation_rig.hpp"

namespace weirpool::test::mysql {
namespace {

struct ExchangeRig {
  ServerState state{facts(), 0, "shop", 7};
  Exchange exchange{state};
  Wire wire{exchange};
  ExchangeRig() {
    write_command(exchange.commands(), com::query, "a");
    write_command(exchange.commands(), com::query, "b");
    exchange.expect(2);
  }
};

TEST(MysqlExchange, SendsAtOnceAndSwallowsReplies) {
  ExchangeRig rig;
  rig.wire.pump();
  EXPECT_EQ(rig.wire.to_backend(), query("a") + query("b"));
  const std::string replies = ok(1) + ok(1, {.status = 0x202});
  for (const char c : replies) rig.wire.feed(Party::backend, std::string(1, c));
  EXPECT_EQ(rig.wire.count(Kind::done), 1u);
  EXPECT_EQ(rig.state.status, 0x202);
  EXPECT_EQ(rig.wire.to_client(), "");
  EXPECT_EQ(rig.wire.breach(), "");
}

TEST(MysqlExchange, ErrorsAndNonsenseClose) {
  ExchangeRig refused;
  refused.wire.feed(Party::backend, ok(1) + err(1, 1231, "#42000wrong"));
  EXPECT_EQ(refused.wire.fault(), Fault::backend_lost);
  EXPECT_EQ(refused.exchange.error(), "1231 (42000): wrong");
  for (const std::string& bytes : {count(1, 1), ok(2), packet(1, ""), ok(1, {.changes = "\5"}),
                                   packet(1, std::string(70000, '\0'))}) {
    ExchangeRig rig;
    rig.wire.feed(Party::backend, bytes);
    EXPECT_NE(rig.wire.fault(), Fault::none);
  }
}

TEST(MysqlExchange, RecordsVariablesOnlyWhenAsked) {
  ExchangeRig silent;
  silent.wire.feed(Party::backend, ok(1, {.changes = variable("a", "1")}) + ok(1));
  EXPECT_TRUE(silent.state.session.variables.empty());
  ExchangeRig rig;
  rig.exchange.keep_tracking();
  rig.wire.feed(Party::backend, ok(1, {.changes = variable("a", "1")}) + ok(1));
  EXPECT_EQ(rig.state.session.variables.size(), 1u);
}

std::string statement_of(unsigned parameters) {
  Writer out;
  out.u8(0);
  out.le32(9);
  out.le16(0);
  out.le16(static_cast<std::uint16_t>(parameters));
  out.zeros(3);
  return packet(1, text_of(out));
}

/// A setting, a PREPARE, a setting.
struct PrepareRig {
  ServerState state{facts(), 0, "shop", 7};
  Exchange exchange{state};
  Wire wire{exchange};
  PrepareRig() {
    exchange.go_on_after_errors();
    exchange.expect(1);
    exchange.expect_prepared();
    exchange.expect(1);
  }
};

TEST(MysqlExchange, PreparesInBetween) {
  PrepareRig rig;
  const std::string replies = ok(1) + statement_of(2) + definition(2) + definition(3) + ok(1);
  for (const char c : replies) rig.wire.feed(Party::backend, std::string(1, c));
  EXPECT_EQ(rig.wire.count(Kind::done), 1u);
  ASSERT_TRUE(rig.exchange.prepared());
  EXPECT_EQ(rig.exchange.prepared()->statement, 9u);
  EXPECT_EQ(rig.exchange.refused().code, 0);
  EXPECT_EQ(rig.wire.breach(), "");
}

TEST(MysqlExchange, KeepsTheFirstRefusal) {
  PrepareRig rig;
  rig.wire.feed(Party::backend, ok(1) + err(1, 1146, "#42S02no") + ok(1));
  EXPECT_EQ(rig.wire.count(Kind::done), 1u);
  EXPECT_EQ(rig.exchange.refused().code, 1146);
  EXPECT_EQ(rig.exchange.refused().state, "42S02");
  PrepareRig late;
  late.wire.feed(Party::backend, ok(1) + statement_of(0) + err(1, 1231));
  EXPECT_EQ(late.wire.fault(), Fault::backend_lost);
  PrepareRig odd;
  odd.wire.feed(Party::backend, ok(1) + statement_of(1) + packet(2, std::string(kMaxPayload, 'x')));
  EXPECT_EQ(odd.wire.fault(), Fault::backend_violation);
}

}  // namespace
}  // namespace weirpool::test::mysql
