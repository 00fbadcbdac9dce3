#include "protocol/interner.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace weirpool::protocol {
namespace {

struct Text {
  std::string value;
  std::string_view key() const { return value; }
};

std::shared_ptr<const Text> intern(Interner<Text>& table, const std::string& value) {
  return table.intern(value, [&] { return Text{value}; });
}

TEST(Interner, EqualValuesAreOne) {
  const auto table = std::make_shared<Interner<Text>>();
  const auto a = intern(*table, "x");
  EXPECT_EQ(a, intern(*table, "x"));
  EXPECT_NE(a, intern(*table, "y"));
  EXPECT_EQ(table->size(), 1U);  // Nobody kept y.
}

TEST(Interner, ValuesMayOutliveTheTable) {
  std::shared_ptr<const Text> kept;
  {
    const auto table = std::make_shared<Interner<Text>>();
    kept = intern(*table, "x");
  }
  EXPECT_EQ(kept->value, "x");
}

TEST(Interner, WhatIsRetiredStaysWithWhoHasIt) {
  const auto table = std::make_shared<Interner<Text>>();
  auto old = intern(*table, "x");
  const auto other = intern(*table, "y");
  table->retire(*old);
  const auto fresh = intern(*table, "x");
  EXPECT_NE(old, fresh);
  EXPECT_EQ(old->value, "x");
  // Neither retiring it again nor its end concerns its successor.
  table->retire(*old);
  old.reset();
  EXPECT_EQ(intern(*table, "x"), fresh);
  table->retire_all();
  EXPECT_EQ(table->size(), 0U);
  EXPECT_NE(intern(*table, "y"), other);
}

TEST(Interner, ThreadsShareIt) {
  const auto table = std::make_shared<Interner<Text>>();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&table] {
      for (int i = 0; i < 2000; ++i) {
        const std::string value = std::to_string(i % 3);
        if (intern(*table, value)->value != value) std::abort();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(table->size(), 0U);
}

}  // namespace
}  // namespace weirpool::protocol
