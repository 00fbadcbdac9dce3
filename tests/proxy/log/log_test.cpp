#include "proxy/log/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>

#include "config/limits.hpp"

namespace weirpool::log {
namespace {

/// A pipe that the log writes into; finish() stops the writer and returns what was written.
class LogTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::pipe2(pipe_, O_CLOEXEC), 0); }
  void TearDown() override {
    shutdown();
    init({}, STDOUT_FILENO);
    shutdown();
    ::close(pipe_[0]);
  }
  int in() const { return pipe_[1]; }
  std::string finish() {
    std::string text;
    std::thread reader([&] {
      char buffer[4096];
      for (ssize_t got = 0; (got = ::read(pipe_[0], buffer, sizeof buffer)) > 0;) {
        text.append(buffer, static_cast<std::size_t>(got));
      }
    });
    shutdown();
    ::close(pipe_[1]);
    reader.join();
    return text;
  }

 private:
  int pipe_[2] = {-1, -1};
};

TEST_F(LogTest, AutomaticIsJsonWithoutATerminal) {
  init({config::LogFormat::automatic, Level::info, false}, in());
  event(Level::info, "startup", "ready", {{"workers", 2}});
  event(Level::debug, "hidden", "below the level");
  const std::string text = finish();
  EXPECT_TRUE(text.starts_with("{\"ts\":\"")) << text;
  EXPECT_TRUE(text.ends_with("\"event\":\"startup\",\"msg\":\"ready\",\"workers\":2}\n")) << text;
  EXPECT_EQ(text.find("hidden"), std::string::npos);
}

TEST_F(LogTest, AReloadChangesLevelAndFormat) {
  init({config::LogFormat::json, Level::error, false}, in());
  EXPECT_FALSE(enabled(Level::warn));
  set({config::LogFormat::text, Level::debug, true});
  EXPECT_TRUE(enabled(Level::debug));
  EXPECT_TRUE(connections_enabled());
  event(Level::debug, "seen", "now");
  const std::string text = finish();
  EXPECT_NE(text.find("debug seen"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << "colours are for terminals";
}

TEST_F(LogTest, LimitedLetsOnePassPerKey) {
  init({config::LogFormat::json, Level::info, false}, in());
  for (int i = 0; i < 5; ++i) limited(Level::warn, "limited_test", "again", {{"backend", "shop"}});
  limited(Level::warn, "limited_test", "again", {{"backend", "other"}});
  const std::string text = finish();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
}

TEST_F(LogTest, AStalledReaderCostsEventsNotTime) {
  init({config::LogFormat::json, Level::info, false}, in());
  const std::string padding(900, 'x');
  for (std::size_t i = 0; i < config::kLogQueueEvents + 1000; ++i) {
    event(Level::info, "flood", padding);
  }
  EXPECT_GT(dropped(), 0U);
  const std::string text = finish();
  EXPECT_GT(text.size(), config::kLogQueueEvents * padding.size());
}

}  // namespace
}  // namespace weirpool::log
