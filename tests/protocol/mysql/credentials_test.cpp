#include "protocol/mysql/credentials.hpp"

#include <gtest/gtest.h>

namespace weirpool::protocol::mysql {
namespace {

TEST(MysqlCredentials, BothPasswordsOfARotationWork) {
  const Scramble scramble = make_scramble();
  const Credentials credentials({"new", "old"});
  for (const char* password : {"new", "old"}) {
    EXPECT_TRUE(credentials.native(scramble, native_token(password, scramble)));
    EXPECT_TRUE(credentials.sha2(scramble, sha2_token(password, scramble)));
    EXPECT_TRUE(credentials.plain(password));
  }
  EXPECT_FALSE(credentials.native(scramble, native_token("other", scramble)));
  EXPECT_FALSE(credentials.sha2(scramble, sha2_token("other", scramble)));
  EXPECT_FALSE(credentials.plain("other"));
  EXPECT_FALSE(credentials.plain(""));
}

TEST(MysqlCredentials, EmptyMatchesEmptyOnly) {
  const Scramble scramble = make_scramble();
  const Credentials some({"secret"});
  EXPECT_FALSE(some.native(scramble, {}));
  EXPECT_FALSE(some.sha2(scramble, {}));
  const Credentials none({""});
  EXPECT_TRUE(none.without_password());
  EXPECT_FALSE(some.without_password());
  EXPECT_FALSE(none.native(scramble, {}));
  EXPECT_FALSE(none.sha2(scramble, {}));
  EXPECT_FALSE(none.native(scramble, native_token("", scramble)));
  EXPECT_FALSE(none.sha2(scramble, sha2_token("x", scramble)));
}

TEST(MysqlCredentials, NobodyMatchesNothing) {
  const Scramble scramble = make_scramble();
  const auto nobody = Credentials::of_nobody();
  EXPECT_EQ(nobody, Credentials::of_nobody());
  EXPECT_FALSE(nobody->native(scramble, {}));
  EXPECT_FALSE(nobody->sha2(scramble, {}));
  EXPECT_FALSE(nobody->plain(""));
}

}  // namespace
}  // namespace weirpool::protocol::mysql
