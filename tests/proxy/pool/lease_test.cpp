#include "proxy/pool/lease.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "tests/support/toy_world.hpp"

namespace weirpool::proxy {
namespace {

using metrics::CloseReason;
using test::ToyWorld;

Standing clean() {
  Standing standing;
  standing.at_boundary = true;
  return standing;
}

class LeaseTest : public testing::Test {
 protected:
  Lease obtain() {
    Lease lease = world_.pool().take_idle();
    if (lease) return lease;
    Signal signal;
    Waiter waiter(world_.pool(), signal, Waiter::Wish::backend);
    world_.until([&] { return !waiter.waiting(); });
    return waiter.take();
  }
  std::int64_t idle() { return world_.pool().metrics().idle.get(); }
  std::int64_t active() { return world_.pool().metrics().active.get(); }
  std::uint64_t lost() { return world_.closed(world_.pool(), CloseReason::client_gone); }

  ToyWorld world_{2};
};

TEST_F(LeaseTest, IsNothingUntilGiven) {
  Lease lease;
  EXPECT_FALSE(lease);
  const Lease moved = std::move(lease);
  EXPECT_FALSE(moved);
}

TEST_F(LeaseTest, AProvenBoundaryReturnsTheBackend) {
  Lease lease = obtain();
  ASSERT_TRUE(lease);
  EXPECT_EQ(active(), 1);
  EXPECT_EQ(lease->state->remote_id(), 1U);
  EXPECT_EQ(&(*lease).stream, &lease->stream);
  lease.end(clean(), false);
  EXPECT_FALSE(lease);
  EXPECT_EQ(idle(), 1);
  EXPECT_EQ(active(), 0);
}

TEST_F(LeaseTest, ForgettingDiscards) {
  { const Lease forgotten = obtain(); }
  EXPECT_EQ(idle(), 0);
  EXPECT_EQ(active(), 0);
  EXPECT_EQ(lost(), 1U);
}

TEST_F(LeaseTest, MovingPassesTheDutyOn) {
  Lease first = obtain();
  {
    Lease second = std::move(first);
    EXPECT_TRUE(second);
    EXPECT_EQ(lost(), 0U);
  }
  EXPECT_EQ(lost(), 1U);
}

TEST_F(LeaseTest, OverwritingDiscardsWhatWasHeld) {
  Lease first = obtain();
  Lease second = obtain();
  first = std::move(second);
  EXPECT_EQ(lost(), 1U);
  EXPECT_EQ(active(), 1);
  first = std::move(first);
  EXPECT_TRUE(first);
  first.end(clean(), false);
  EXPECT_EQ(idle(), 1);
}

TEST_F(LeaseTest, AnEndWhileExecutingCancels) {
  Lease lease = obtain();
  Standing running;
  lease.end(running, true);
  EXPECT_TRUE(world_.until([&] { return world_.server.counts().cancels == 1; }));
}

}  // namespace
}  // namespace weirpool::proxy
