#include "proxy/net/supervise.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "proxy/net/signal.hpp"

namespace weirpool::proxy {
namespace {

Task<void> finish(bool& done) {
  done = true;
  co_return;
}

Task<void> wait_for(Signal& signal, std::shared_ptr<int> held, bool& done) {
  co_await signal.wait();
  done = *held == 1;
}

Task<void> fail_after(Signal& signal, std::shared_ptr<int> held) {
  co_await signal.wait();
  if (*held == 1) throw std::runtime_error("a bug");
}

struct NotAnException {};

Task<void> throw_something_else() {
  throw NotAnException{};
  co_return;
}

TEST(SuperviseTest, RunsAtOnce) {
  bool done = false;
  supervise("test", finish(done));
  EXPECT_TRUE(done);
}

TEST(SuperviseTest, OwnsTheWorkUntilItsEnd) {
  Signal signal;
  bool done = false;
  const auto held = std::make_shared<int>(1);
  supervise("test", wait_for(signal, held, done));
  EXPECT_FALSE(done);
  EXPECT_EQ(held.use_count(), 2);
  signal.notify();
  EXPECT_TRUE(done);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(SuperviseTest, AnExceptionEndsThatCoroutineAlone) {
  Signal first;
  Signal second;
  bool done = false;
  const auto held = std::make_shared<int>(1);
  supervise("test", fail_after(first, held));
  supervise("test", wait_for(second, held, done));
  first.notify();
  EXPECT_EQ(held.use_count(), 2);
  second.notify();
  EXPECT_TRUE(done);
}

TEST(SuperviseTest, WhateverIsThrownIsCaught) { supervise("test", throw_something_else()); }

}  // namespace
}  // namespace weirpool::proxy
