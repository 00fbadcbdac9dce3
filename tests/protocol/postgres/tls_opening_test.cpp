#include "protocol/postgres/tls_opening.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/postgres/wire_text.hpp"
#include "tests/support/wire_script.hpp"

namespace weirpool::test::pg {
namespace {

namespace postgres = protocol::postgres;

struct Opening {
  explicit Opening(bool direct, std::string application = {})
      : engine(direct), wire(engine, [this](const Verdict& verdict, Wire&) {
          if (verdict.kind == Kind::start_tls) engine.tls_established(facts);
        }) {
    facts.application = std::move(application);
    wire.pump();
  }

  protocol::TlsFacts facts;
  postgres::TlsOnly engine;
  Wire wire;
};

TEST(TlsOpening, AsksAndStarts) {
  Opening opening(false);
  EXPECT_EQ(opening.wire.to_backend(), packet(80877103));
  opening.wire.feed(Party::backend, "S");
  EXPECT_EQ(opening.wire.events(), (std::vector{Kind::start_tls, Kind::done}));
}

TEST(TlsOpening, NothingButTlsWillDo) {
  for (const char* answer : {"N", "E", "Sx", "x"}) {
    Opening opening(false);
    opening.wire.feed(Party::backend, answer);
    EXPECT_TRUE(opening.wire.ended()) << answer;
    EXPECT_EQ(opening.wire.count(Kind::done), 0U) << answer;
  }
}

TEST(TlsOpening, DirectTlsNeedsNoQuestionButTheRightName) {
  Opening agreed(true, "postgresql");
  EXPECT_EQ(agreed.wire.to_backend(), "");
  EXPECT_EQ(agreed.wire.events(), (std::vector{Kind::start_tls, Kind::done}));
  Opening nameless(true);
  EXPECT_EQ(nameless.wire.fault(), Fault::backend_unavailable);
  EXPECT_EQ(nameless.wire.count(Kind::done), 0U);
}

}  // namespace
}  // namespace weirpool::test::pg
