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

}  // namespace
}  // namespace weirpool::test::mysql
