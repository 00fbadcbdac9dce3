#include "proxy/pool/reuse.hpp"

#include <gtest/gtest.h>

namespace weirpool::proxy {
namespace {

using metrics::CloseReason;

Standing clean_standing() {
  Standing standing;
  standing.at_boundary = true;
  return standing;
}

TEST(Reuse, AProvenBoundaryIsLentAgain) { EXPECT_EQ(judge(clean_standing()).reuse, Reuse::lend); }

TEST(Reuse, ForgettingToSayAnythingDiscards) { EXPECT_EQ(judge(Standing{}).reuse, Reuse::retire); }

TEST(Reuse, EachLineOfTheChecklistRetiresForItsReason) {
  const auto reason = [](auto spoil) {
    Standing standing = clean_standing();
    spoil(standing);
    const Judgement judgement = judge(standing);
    EXPECT_EQ(judgement.reuse, Reuse::retire);
    return judgement.reason;
  };
  EXPECT_EQ(reason([](Standing& s) { s.stream_healthy = false; }), CloseReason::backend_lost);
  EXPECT_EQ(reason([](Standing& s) { s.at_boundary = false; }), CloseReason::client_gone);
  EXPECT_EQ(reason([](Standing& s) { s.half_forwarded = true; }), CloseReason::client_gone);
  EXPECT_EQ(reason([](Standing& s) { s.leftover = true; }), CloseReason::violation);
  EXPECT_EQ(reason([](Standing& s) { s.draining = true; }), CloseReason::shutdown);
  EXPECT_EQ(reason([](Standing& s) { s.expired = true; }), CloseReason::lifetime);
  EXPECT_EQ(reason([](Standing& s) { s.outdated = true; }), CloseReason::outdated);
}

TEST(Reuse, StateOrACancelMeansWashing) {
  Standing standing = clean_standing();
  standing.needs_reset = true;
  EXPECT_EQ(judge(standing).reuse, Reuse::wash);
  standing = clean_standing();
  standing.aimed = true;
  EXPECT_EQ(judge(standing).reuse, Reuse::wash);
  standing = clean_standing();
  standing.role_doubtful = true;
  EXPECT_EQ(judge(standing).reuse, Reuse::wash);
}

TEST(Reuse, NothingSavesABackendInTheMiddleOfSomething) {
  Standing standing;
  standing.needs_reset = true;
  standing.aimed = true;
  EXPECT_EQ(judge(standing).reuse, Reuse::retire);
}

}  // namespace
}  // namespace weirpool::proxy
