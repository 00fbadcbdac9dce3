#include "protocol/postgres/round_trip.hpp"

#include <gtest/gtest.h>

#include "protocol/postgres/ping.hpp"
#include "protocol/postgres/reset.hpp"
#include "tests/protocol/postgres/conversation_rig.hpp"

namespace weirpool::test::pg {
namespace {

TEST(RoundTrip, PingIsSwallowedHoweverItArrives) {
  const std::string answer = notice("hm") + message('I') + ready();
  for_every_cut({answer.size() + 1}, [&](Cut cut) {
    const auto state = fresh_backend();
    postgres::Ping ping(*state);
    Wire wire(ping);
    play(wire, {backend(answer)}, {0, cut.at});
    EXPECT_EQ(wire.breach(), "");
    EXPECT_EQ(wire.events(), std::vector{Kind::done});
    EXPECT_EQ(wire.to_backend(), query(""));
    EXPECT_EQ(wire.to_client(), "");
  });
}

TEST(RoundTrip, ALongParameterIsReadToItsEnd) {
  const std::string path(9000, 'x');
  const std::string answer = status("search_path", path) + status("TimeZone", "X") + message('I');
  for (const std::size_t cut : {7U, 4096U, 9000U, 9022U, 9030U}) {
    const auto state = fresh_backend();
    postgres::Ping ping(*state);
    Wire wire(ping);
    play(wire, {backend(answer + ready())}, {0, cut});
    EXPECT_EQ(wire.breach(), "");
    EXPECT_EQ(wire.events(), std::vector{Kind::done});
    EXPECT_EQ(state->parameters.reported().back().value, path);
  }
  const auto state = fresh_backend();
  postgres::Ping ping(*state);
  Wire wire(ping);
  play(wire, {backend(status("search_path", std::string(70000, 'x')))});
  EXPECT_EQ(wire.fault(), Fault::backend_lost);
}

TEST(RoundTrip, ALateCancelIsSwallowedByThePing) {
  const auto state = fresh_backend();
  postgres::Ping ping(*state);
  Wire wire(ping);
  play(wire, {backend(error("57014", "canceling statement due to user request") + ready())});
  EXPECT_EQ(wire.events(), std::vector{Kind::done});
}

TEST(RoundTrip, AnythingElseCostsTheBackend) {
  const std::vector<std::string> answers{
      error("25001", "cannot run inside a transaction block") + ready('T'),
      error("57P01", "terminating", "FATAL"),
      message('I') + ready('E'),
      message('?'),
      message('1'),
      message('I') + ready() + "x",
      std::string("Z\0\0\0\1", 5)};
  for (const std::string& bytes : answers) {
    const auto state = fresh_backend();
    postgres::Reset reset(*state);
    Wire wire(reset);
    play(wire, {backend(bytes)});
    EXPECT_EQ(wire.fault(), Fault::backend_lost) << bytes;
  }
}

}  // namespace
}  // namespace weirpool::test::pg
