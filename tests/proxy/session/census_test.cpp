#include "proxy/session/census.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace weirpool::proxy {
namespace {

using Kind = Census::Kind;

TEST(Census, CountsUpToABoundAndForgetsWhoLeaves) {
  Census census;
  Census::Entry first = census.enter(Kind::user, "app", 2);
  Census::Entry second = census.enter(Kind::user, "app", 2);
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_FALSE(census.enter(Kind::user, "app", 2));
  EXPECT_TRUE(census.enter(Kind::user, "other", 2));
  EXPECT_TRUE(census.enter(Kind::database, "app", 2));
  second = {};
  EXPECT_TRUE(census.enter(Kind::user, "app", 2));
}

TEST(Census, WithoutABoundEverybodyIsCountedAllTheSame) {
  Census census;
  const Census::Entry first = census.enter(Kind::source, "::1", 0);
  const Census::Entry second = census.enter(Kind::source, "::1", 0);
  EXPECT_TRUE(second);
  EXPECT_FALSE(census.enter(Kind::source, "::1", 2));
}

TEST(Census, AnEntryThatMovedIsStillOne) {
  Census census;
  Census::Entry moved;
  {
    Census::Entry entry = census.enter(Kind::user, "app", 1);
    moved = std::move(entry);
  }
  EXPECT_FALSE(census.enter(Kind::user, "app", 1));
}

}  // namespace
}  // namespace weirpool::proxy
