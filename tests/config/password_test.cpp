#include "config/password.hpp"

#include <gtest/gtest.h>

#include "config_fixture.hpp"

namespace weirpool::config {
namespace {

TEST(Password, FileIsReadAnewEachTime) {
  const TempFile file("first\n");
  const PasswordSource source{Secret("loaded"), file.path()};
  EXPECT_EQ(read_password(source), "first");
  file.write("token: two\r\n");
  EXPECT_EQ(read_password(source), "token: two");
}

TEST(Password, OnlyOneNewlineIsStripped) {
  const TempFile file("a\n\n");
  EXPECT_EQ(read_secret_file(file.path()).text, "a\n");
}

TEST(Password, FallsBackToWhatWasLoaded) {
  const PasswordSource source{Secret("loaded"), "/nonexistent/weirpool"};
  EXPECT_EQ(read_password(source), "loaded");
  EXPECT_EQ(read_password({Secret("plain"), ""}), "plain");
}

TEST(Password, BadFilesAreErrors) {
  EXPECT_EQ(read_secret_file("/tmp").error, "is not a regular file");
  EXPECT_EQ(read_secret_file("/nonexistent/x").error, "No such file or directory");
  const TempFile empty("\n");
  EXPECT_EQ(read_secret_file(empty.path()).error, "is empty");
  const TempFile nul(std::string("a\0b", 3));
  EXPECT_EQ(read_secret_file(nul.path()).error, "holds a NUL byte");
  const TempFile large(std::string(65537, 'x'));
  EXPECT_EQ(read_secret_file(large.path()).error, "is larger than 64 KiB");
  EXPECT_EQ(read_secret_file(large.path()).text, "");
}

TEST(Password, OpenFilesAreNoticed) {
  const TempFile open("x", 0644);
  EXPECT_TRUE(read_secret_file(open.path()).readable_by_all);
  const TempFile closed("x", 0600);
  EXPECT_FALSE(read_secret_file(closed.path()).readable_by_all);
}

TEST(Password, NewestFirstWithoutDuplicates) {
  User user;
  user.password.value = Secret("new");
  user.old_password = PasswordSource{Secret("old"), ""};
  EXPECT_EQ(read_passwords(user), (std::vector<std::string>{"new", "old"}));
  user.old_password->value = Secret("new");
  EXPECT_EQ(read_passwords(user), std::vector<std::string>{"new"});
  User without;
  EXPECT_EQ(read_passwords(without), std::vector<std::string>{""});
  without.password.file = "/nonexistent";
  EXPECT_TRUE(read_passwords(without).empty());
  user.old_password.reset();
  EXPECT_EQ(read_passwords(user), std::vector<std::string>{"new"});
}

TEST(Password, WhatDatabasesStoreIsNone) {
  const std::string native = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";
  const std::string sha2 = "$A$005$" + std::string(63, 'x');
  for (const std::string& text :
       {native, native + "$" + std::string(40, '0'), sha2, "0x244124" + std::string(134, 'a')}) {
    EXPECT_TRUE(is_mysql_verifier(text) && is_verifier(text)) << text;
    EXPECT_FALSE(is_postgres_verifier(text));
  }
  for (const std::string& text : {"md5" + std::string(32, 'a'), std::string("SCRAM-SHA-256$x")}) {
    EXPECT_TRUE(is_postgres_verifier(text) && is_verifier(text)) << text;
    EXPECT_FALSE(is_mysql_verifier(text));
  }
  for (const std::string& text :
       {std::string(), std::string("*"), native.substr(1), native.substr(0, 40), native + "0",
        "*" + std::string(40, 'g'), sha2.substr(1), sha2 + "x", std::string("$A$005$"),
        "0x244124" + std::string(134, 'g'), "0x244125" + std::string(134, 'a')}) {
    EXPECT_FALSE(is_verifier(text)) << text;
  }
}

}  // namespace
}  // namespace weirpool::config
