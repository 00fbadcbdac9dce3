#include "protocol/postgres/reset.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

using postgres::Effects;

std::string cure(Effects left_behind) {
  const auto state = fresh_backend();
  state->left_behind = left_behind;
  postgres::Reset reset(*state);
  Wire wire(reset);
  wire.pump();
  return wire.to_backend();
}

TEST(Reset, ResetForgetsWhatTheBackendForgot) {
  const auto state = fresh_backend();
  state->statements.add(postgres::unnamed_statement(protocol::bytes_of("x"), {}, {}));
  state->parameters.report("TimeZone", "Asia/Tokyo");
  postgres::Reset reset(*state);
  Wire wire(reset);
  play(wire, {backend(command("DISCARD ALL") + status("TimeZone", "UTC") + ready())});
  EXPECT_EQ(wire.events(), std::vector{Kind::done});
  EXPECT_EQ(wire.to_backend(), query("DISCARD ALL"));
  EXPECT_EQ(state->statements.size(), 0U);
  postgres::ProfileCatalog catalog;
  EXPECT_EQ(state->parameters.difference(*catalog.of({})).text, "");
}

TEST(Reset, IsAsSmallAsTheStateWas) {
  EXPECT_EQ(cure(postgres::kPinListen), query("UNLISTEN *;"));
  EXPECT_EQ(cure(postgres::kPinTemporary), query("DISCARD TEMP;"));
  EXPECT_EQ(cure(postgres::kPinWithHold | postgres::kPinAdvisoryLock),
            query("CLOSE ALL;SELECT pg_catalog.pg_advisory_unlock_all();"));
  EXPECT_EQ(cure(postgres::kPinSequence), query("DISCARD SEQUENCES;"));
  EXPECT_EQ(cure(postgres::kPinPrepare), query("DEALLOCATE ALL;"));
  EXPECT_EQ(cure(postgres::kPinSet | postgres::kPinSetConfig),
            query("RESET ROLE;RESET SESSION AUTHORIZATION;RESET ALL;"));
}

TEST(Reset, EveryPinHasACure) {
  for (Effects pin = 1; pin <= postgres::kPins; pin <<= 1) {
    if (pin != postgres::kPinLoad) {
      EXPECT_GT(cure(pin).size(), 10U) << pin;
    }
  }
}

TEST(Reset, StatementsOfEverybodySurviveWhereTheyCan) {
  for (const auto& [left, kept] :
       {std::pair{postgres::kPinTemporary, 1U}, std::pair{postgres::kPinPrepare, 0U}}) {
    const auto state = fresh_backend();
    state->statements.add(postgres::unnamed_statement(protocol::bytes_of("x"), {}, {}));
    state->left_behind = left;
    postgres::Reset reset(*state);
    Wire wire(reset);
    play(wire, {backend(command("DISCARD TEMP") + ready())});
    EXPECT_EQ(wire.events(), std::vector{Kind::done});
    EXPECT_EQ(state->statements.size(), kept);
    EXPECT_EQ(state->left_behind, 0U);
  }
}

TEST(Reset, ALoadedLibraryCostsTheBackend) {
  const auto state = fresh_backend();
  state->left_behind = postgres::kPinLoad;
  postgres::Reset reset(*state);
  Wire wire(reset);
  play(wire, {backend(message('I') + ready())});
  EXPECT_EQ(wire.fault(), Fault::backend_lost);
}

}  // namespace
}  // namespace weirpool::test::pg
