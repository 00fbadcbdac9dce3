#include "proxy/secret_watch.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace weirpool::proxy {
namespace {

using Names = std::vector<std::string>;

class SecretWatchTest : public testing::Test {
 protected:
  SecretWatchTest() {
    std::filesystem::create_directories(folder_);
    write("app", "one\n");
    write("batch", "first\n");
    config_.users["app"].password.file = path("app");
    config_.users["batch"].password.file = path("batch");
    config_.users["plain"].password.value = config::Secret("written down");
  }
  ~SecretWatchTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("secret_watch_" + std::to_string(::getpid()));
  config::Config config_;
  SecretWatch watch_;
};

TEST_F(SecretWatchTest, TheFirstLookFindsNothing) {
  EXPECT_EQ(watch_.changed(config_).users, Names{});
  EXPECT_EQ(watch_.changed(config_).users, Names{});
}

TEST_F(SecretWatchTest, NamesWhoseFileWasRewrittenOnce) {
  watch_.changed(config_);
  write("app", "another\n");
  EXPECT_EQ(watch_.changed(config_).users, Names{"app"});
  EXPECT_EQ(watch_.changed(config_).users, Names{});
}

TEST_F(SecretWatchTest, AFileOfTheSameSizeRenamedOntoIsAnother) {
  watch_.changed(config_);
  write("batch.new", "other\n");
  std::filesystem::last_write_time(path("batch.new"),
                                   std::filesystem::last_write_time(path("batch")));
  std::filesystem::rename(path("batch.new"), path("batch"));
  EXPECT_EQ(watch_.changed(config_).users, Names{"batch"});
}

TEST_F(SecretWatchTest, AnOldPasswordsFileCountsToo) {
  write("old", "previous\n");
  config_.users["plain"].old_password.emplace();
  config_.users["plain"].old_password->file = path("old");
  watch_.changed(config_);
  write("old", "the one before\n");
  EXPECT_EQ(watch_.changed(config_).users, Names{"plain"});
}

TEST_F(SecretWatchTest, AFileThatIsAwayForAMomentIsNoNews) {
  watch_.changed(config_);
  std::filesystem::rename(path("app"), path("elsewhere"));
  EXPECT_EQ(watch_.changed(config_).users, Names{});
  std::filesystem::rename(path("elsewhere"), path("app"));
  EXPECT_EQ(watch_.changed(config_).users, Names{});
}

TEST_F(SecretWatchTest, TheUserFileIsWatchedToo) {
  write("list", "\"app\" \"one\"\n");
  config_.auth.user_file = path("list");
  EXPECT_FALSE(watch_.changed(config_).any());
  write("list", "\"app\" \"another\"\n");
  EXPECT_TRUE(watch_.changed(config_).user_file);
  EXPECT_FALSE(watch_.changed(config_).any());
}

}  // namespace
}  // namespace weirpool::proxy
