#include "protocol/postgres/md5.hpp"

#include <gtest/gtest.h>

#include "protocol/postgres/crypto.hpp"

namespace weirpool::protocol::postgres {
namespace {

TEST(Md5, VerifiersAreRecognized) {
  EXPECT_TRUE(is_md5_verifier(md5_verifier("app", "secret")));
  EXPECT_FALSE(is_md5_verifier("md5"));
  EXPECT_FALSE(is_md5_verifier("md5" + std::string(32, 'g')));
  EXPECT_FALSE(is_md5_verifier("md5" + std::string(33, 'a')));
  EXPECT_FALSE(is_md5_verifier("MD5" + std::string(32, 'a')));
}

TEST(Md5, UserAndSaltMatter) {
  EXPECT_EQ(md5_verifier("postgres", "postgres"), "md53175bce1d3201d16594cebf9d7eb3f9d");
  EXPECT_NE(md5_verifier("a", "x"), md5_verifier("b", "x"));
  const std::string verifier = md5_verifier("app", "secret");
  const std::string response = md5_response(verifier, bytes_of("salt"));
  EXPECT_EQ(response, "md5" + md5_hex(verifier.substr(3) + "salt"));
  EXPECT_NE(response, md5_response(verifier, bytes_of("tlas")));
}

}  // namespace
}  // namespace weirpool::protocol::postgres
