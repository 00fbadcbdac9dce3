#include "protocol/postgres/role_probe.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

std::string two(std::string_view first, std::string_view second) {
  const auto field = [](std::string_view text) {
    return be32(static_cast<std::uint32_t>(text.size())) + std::string(text);
  };
  return message('D', std::string{0, 2} + field(first) + field(second));
}

TEST(PostgresRoleProbe, AsksForRecoveryAndReadOnly) {
  for (const bool standby : {false, true}) {
    for (const bool read_only : {false, true}) {
      const std::string answer = row_description() +
                                 two(standby ? "t" : "f", read_only ? "on" : "off") +
                                 command("SELECT 1") + ready();
      for_every_cut({answer.size() + 1}, [&](Cut cut) {
        const auto state = fresh_backend();
        postgres::RoleProbe probe(*state);
        Wire wire(probe);
        play(wire, {backend(answer)}, {0, cut.at});
        EXPECT_EQ(wire.events(), std::vector{Kind::done});
        EXPECT_EQ(probe.role().standby, standby);
        EXPECT_EQ(probe.role().read_only, read_only);
      });
    }
  }
}

TEST(PostgresRoleProbe, AnythingElseCostsTheBackend) {
  for (const std::string& answer :
       {row_description() + command("SELECT 0") + ready(), two("x", "on") + ready(),
        message('D', std::string{0, 2} + be32(100) + "t") + ready(), row() + ready(),
        error("42883", "no such function") + ready()}) {
    const auto state = fresh_backend();
    postgres::RoleProbe probe(*state);
    Wire wire(probe);
    play(wire, {backend(answer)});
    EXPECT_EQ(wire.fault(), Fault::backend_lost);
  }
}

}  // namespace
}  // namespace weirpool::test::pg
