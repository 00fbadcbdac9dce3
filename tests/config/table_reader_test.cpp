#include "config/table_reader.hpp"

#include <gtest/gtest.h>

#include "config_fixture.hpp"

namespace weirpool::config {
namespace {

/// The messages about `yaml`, one per line, without the excerpts.
std::string read(const std::string& yaml) {
  Problems problems("f");
  Config config;
  Positions positions;
  if (const auto root = parse_tree(yaml, problems)) read_tree(*root, config, positions, problems);
  std::string text;
  for (const Problem& one : problems.take()) {
    text += std::to_string(one.line) + " " + one.path + ": " + one.message + "\n";
  }
  return text;
}

TEST(TableReader, AcceptsTheSmallOne) { EXPECT_EQ(read(kSmall), ""); }

TEST(TableReader, UnknownKeysGetAHint) {
  EXPECT_EQ(read(kSmall + "limits:\n  max_client_con: 5\n"),
            "13 limits: unknown key 'max_client_con'; did you mean 'max_client_conn'?\n");
  EXPECT_EQ(read(kSmall + "drain: {speed: 5}\n"),
            "12 drain: unknown key 'speed'; known here: lame_duck, timeout\n");
}

TEST(TableReader, APathIsNoKey) {
  EXPECT_NE(read(kSmall + "log.level: info\n").find("unknown key 'log.level'"), std::string::npos);
  EXPECT_NE(read(kSmall + "backends.*: {}\n").find("unknown key"), std::string::npos);
}

TEST(TableReader, ExtensionKeysAreIgnoredAtTheTopOnly) {
  EXPECT_EQ(read(kSmall + "x-anything: {a: [1, $]}\n"), "");
  EXPECT_NE(read(kSmall + "log: {x-a: 1}\n"), "");
}

TEST(TableReader, RequiredKeysAreNamed) {
  const std::string text = read("backends: {shop: {}}\n");
  for (const char* path :
       {"backends.shop.protocol: is missing", "backends.shop.address: is missing",
        "backends.shop.max_connections: is missing", "listeners: is missing"}) {
    EXPECT_NE(text.find(path), std::string::npos) << path << "\n" << text;
  }
}

TEST(TableReader, ShapesAreChecked) {
  EXPECT_NE(read("backends: []\nlisteners: {}\nusers: x\n").find("needs a mapping, not a list"),
            std::string::npos);
  EXPECT_NE(read(kSmall + "workers: [1]\n").find("needs a single value, not a list"),
            std::string::npos);
  EXPECT_NE(read(kSmall + "workers:\n").find("has no value"), std::string::npos);
  EXPECT_EQ(read(kSmall + "limits:\n"), "") << "a group with everything commented out";
  EXPECT_NE(read("- a\n").find("needs a mapping"), std::string::npos);
}

TEST(TableReader, ContentOfVariablesIsNotQuoted) {
  ::setenv("WEIR_LEAK", "hunter2", 1);
  const std::string text = read(kSmall + "drain: {timeout: '${WEIR_LEAK}'}\n");
  EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
  EXPECT_NE(text.find("'${WEIR_LEAK}' is not a duration"), std::string::npos) << text;
}

std::string with_password(const std::string& lines) {
  return kSmall.substr(0, kSmall.find("    password:")) + lines;
}

TEST(TableReader, ExactlyOnePasswordKey) {
  EXPECT_NE(read(with_password("    old_password: x\n")).find("needs one of password"),
            std::string::npos);
  EXPECT_NE(read(with_password("    password: a\n    password_env: B\n"))
                .find("password and password_env exclude each other"),
            std::string::npos);
  EXPECT_NE(read(with_password("    password: ''\n")).find("may be this user"), std::string::npos);
  EXPECT_NE(read(with_password("    password: '${WEIR_NOT_SET:-}'\n")).find("is empty"),
            std::string::npos);
  EXPECT_NE(read(with_password("    password: a\n    old_password: ''\n")).find("is empty"),
            std::string::npos);
  EXPECT_NE(read(with_password("    password_env: WEIR_NOT_SET\n")).find("is not set"),
            std::string::npos);
  EXPECT_NE(read(with_password("    password_file: /nonexistent\n")).find("No such file"),
            std::string::npos);
}

TEST(TableReader, PasswordsComeFromAllThreePlaces) {
  const TempFile file("from file\n");
  ::setenv("WEIR_PASS", "from env", 1);
  const Loaded loaded = load_text(
      with_password("    password_file: " + file.path() + "\n    old_password_env: WEIR_PASS\n"),
      "f");
  ASSERT_TRUE(loaded.config);
  const User& user = loaded.config->users.at("app");
  EXPECT_EQ(user.password.value.reveal(), "from file");
  EXPECT_EQ(user.password.file, file.path());
  EXPECT_EQ(user.old_password->value.reveal(), "from env");
}

}  // namespace
}  // namespace weirpool::config
