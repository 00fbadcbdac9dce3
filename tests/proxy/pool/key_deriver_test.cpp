#include "proxy/pool/key_deriver.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "protocol/sha256_crypt.hpp"
#include "proxy/net/supervise.hpp"
#include "tests/support/toy_dialect.hpp"
#include "tests/support/toy_server.hpp"

namespace weirpool::proxy {
namespace {

using KeyAnswer = std::optional<KeyDeriver::Key>;

protocol::KeyDerivation wish(const std::string& password, std::uint32_t iterations) {
  const protocol::Bytes salt = protocol::bytes_of("salt");
  return {password, {salt.begin(), salt.end()}, iterations};
}

Task<void> derive_into(KeyDeriver& deriver, Loop& loop, protocol::KeyDerivation wanted,
                       KeyAnswer& answer) {
  answer = co_await deriver.derive(loop, std::move(wanted));
}

class KeyDeriverTest : public testing::Test {
 protected:
  std::string derive(const std::string& password, std::uint32_t iterations) {
    KeyAnswer answer;
    supervise("test", derive_into(deriver_, loop_, wish(password, iterations), answer));
    test::eventually([&] { return answer.has_value(); },
                     [&] { loop_.io.run_one_for(std::chrono::milliseconds(5)); });
    return answer ? test::to_hex(*answer) : "nothing";
  }

  Loop loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> stay_{
      loop_.io.get_executor()};
  Offload offload_;
  KeyDeriver deriver_{offload_};
};

// The vectors for PBKDF2-HMAC-SHA-256 that everybody quotes (RFC 6070's inputs).
TEST_F(KeyDeriverTest, DerivesWhatTheStandardSays) {
  EXPECT_EQ(derive("password", 1),
            "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b");
  EXPECT_EQ(derive("password", 2),
            "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43");
  EXPECT_EQ(derive("password", 4096),
            "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a");
}

TEST_F(KeyDeriverTest, RemembersAKeyAndTellsPasswordsApart) {
  const std::string first = derive("one", 4096);
  KeyAnswer again;
  // Known keys need no other thread: the answer is there before the loop has had a turn.
  supervise("test", derive_into(deriver_, loop_, wish("one", 4096), again));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(test::to_hex(*again), first);
  EXPECT_NE(derive("two", 4096), first);
  EXPECT_NE(derive("one", 4097), first);
}

TEST_F(KeyDeriverTest, FunctionsAreToldApart) {
  protocol::KeyDerivation crypt = wish("password", 1000);
  crypt.function = protocol::KeyDerivation::Function::sha256_crypt;
  const std::string pbkdf2 = derive("password", 1000);
  KeyAnswer answer;
  supervise("test", derive_into(deriver_, loop_, crypt, answer));
  ASSERT_TRUE(test::eventually([&] { return answer.has_value(); },
                               [&] { loop_.io.run_one_for(std::chrono::milliseconds(5)); }));
  EXPECT_NE(test::to_hex(*answer), pbkdf2);
  EXPECT_EQ(*answer, protocol::sha256_crypt("password", crypt.salt, 1000));
}

TEST_F(KeyDeriverTest, WhatIsNotWorthKeepingIsNotKept) {
  protocol::KeyDerivation claimed = wish("claimed", 64);
  claimed.worth_keeping = false;
  for (int i = 0; i < 2; ++i) {
    KeyAnswer answer;
    supervise("test", derive_into(deriver_, loop_, claimed, answer));
    EXPECT_FALSE(answer.has_value());
    ASSERT_TRUE(test::eventually([&] { return answer.has_value(); },
                                 [&] { loop_.io.run_one_for(std::chrono::milliseconds(5)); }));
  }
}

TEST_F(KeyDeriverTest, TheLoopGoesOnMeanwhile) {
  KeyAnswer slow;
  supervise("test", derive_into(deriver_, loop_, wish("slow", 20000), slow));
  bool ran = false;
  loop_.post([&] { ran = true; });
  loop_.io.run_one_for(test::kPatience);
  EXPECT_TRUE(ran);
  EXPECT_FALSE(slow.has_value());
  EXPECT_TRUE(test::eventually([&] { return slow.has_value(); },
                               [&] { loop_.io.run_one_for(std::chrono::milliseconds(5)); }));
}

TEST_F(KeyDeriverTest, ServesSeveralWorkersAtOnce) {
  const std::string expected = derive("password", 4096);
  std::vector<std::thread> workers;
  std::atomic<unsigned> right{0};
  for (int i = 0; i < 3; ++i) {
    workers.emplace_back([&, i] {
      Loop loop;
      const auto stay = boost::asio::make_work_guard(loop.io);
      KeyAnswer own;
      KeyAnswer common;
      supervise("test", derive_into(deriver_, loop, wish("w" + std::to_string(i), 64), own));
      supervise("test", derive_into(deriver_, loop, wish("password", 4096), common));
      test::eventually([&] { return own.has_value() && common.has_value(); },
                       [&] { loop.io.run_one_for(std::chrono::milliseconds(5)); });
      if (common && test::to_hex(*common) == expected) ++right;
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(right.load(), 3U);
}

}  // namespace
}  // namespace weirpool::proxy
