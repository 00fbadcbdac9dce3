#include "proxy/pool/key_ring.hpp"

#include <gtest/gtest.h>

#include "config/limits.hpp"

namespace weirpool::proxy {
namespace {

using Words = std::vector<std::string>;

TEST(KeyRingTest, ReplacesVerifiersByWhatTheyStandFor) {
  KeyRing ring;
  EXPECT_EQ(ring.usable({"verifier", "plain"}), (Words{"verifier", "plain"}));
  ring.remember({"verifier", "key"});
  EXPECT_EQ(ring.usable({"verifier", "plain"}), (Words{"key", "plain"}));
}

TEST(KeyRingTest, APasswordIsGoodForMoreThanAKey) {
  KeyRing ring;
  const std::string key = "SCRAM-SHA-256$4096:c2FsdA==$stored:server$key";
  ring.remember({"verifier", key});
  EXPECT_EQ(ring.usable({"verifier"}), Words{key});
  ring.remember({"verifier", "password"});
  ring.remember({"verifier", key});
  EXPECT_EQ(ring.usable({"verifier"}), Words{"password"});
}

TEST(KeyRingTest, AChangedVerifierIsAnotherOne) {
  KeyRing ring;
  ring.remember({"former", "key"});
  EXPECT_EQ(ring.usable({"changed"}), Words{"changed"});
}

TEST(KeyRingTest, WhatAServerHasRefusedIsForgottenUntilItIsShownAgain) {
  KeyRing ring;
  ring.remember({"verifier", "wrong"});
  ring.remember({"other", "right"});
  ring.forget({"plain", "wrong"});
  EXPECT_EQ(ring.usable({"verifier", "other"}), (Words{"verifier", "right"}));
  ring.remember({"verifier", "better"});
  EXPECT_EQ(ring.usable({"verifier"}), Words{"better"});
}

TEST(KeyRingTest, IsBounded) {
  KeyRing ring;
  ring.remember({"first", "key"});
  for (std::size_t i = 1; i < config::kMaxRevealed; ++i) ring.remember({std::to_string(i), "k"});
  EXPECT_EQ(ring.usable({"first"}), Words{"key"});
  ring.remember({"one more", "k"});
  EXPECT_EQ(ring.usable({"first", "one more"}), (Words{"first", "k"}));
}

}  // namespace
}  // namespace weirpool::proxy
