#include "config/secret.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace weirpool::config {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(!Printable<Secret>);

TEST(Secret, MovedFromHoldsNothing) {
  Secret a("0123456789abcdef0123456789abcdef");
  const Secret b = std::move(a);
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(b.reveal(), "0123456789abcdef0123456789abcdef");
}

TEST(Secret, AssignmentReplacesAndKeepsSelf) {
  Secret a("one");
  Secret b("two");
  a = b;
  EXPECT_EQ(a, b);
  const Secret& self = a;
  a = self;
  EXPECT_EQ(a.reveal(), "two");
  a = std::move(b);
  EXPECT_EQ(a.reveal(), "two");
}

}  // namespace
}  // namespace weirpool::config
