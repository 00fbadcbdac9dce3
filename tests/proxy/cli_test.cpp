#include "proxy/cli.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <initializer_list>
#include <string>
#include <vector>

#include "config/load.hpp"

namespace weirpool::proxy {
namespace {

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

Outcome call(std::initializer_list<const char*> arguments) {
  std::vector<const char*> argv{"weirpool"};
  argv.insert(argv.end(), arguments);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = run_command_line(static_cast<int>(argv.size()), argv.data());
  std::string out = testing::internal::GetCapturedStdout();
  return {code, std::move(out), testing::internal::GetCapturedStderr()};
}

class CliTest : public testing::Test {
 protected:
  void SetUp() override { ::unsetenv("DATABASE_URL"); }
  void TearDown() override { ::unsetenv("DATABASE_URL"); }
};

TEST_F(CliTest, UsageErrorsAreTwo) {
  EXPECT_EQ(call({}).code, kExitUsage);
  EXPECT_EQ(call({"fly"}).code, kExitUsage);
  EXPECT_EQ(call({"run"}).code, kExitUsage);
  EXPECT_EQ(call({"check"}).code, kExitUsage);
  EXPECT_EQ(call({"config", "paint"}).code, kExitUsage);
  EXPECT_EQ(call({"healthcheck", "--url", "nowhere"}).code, kExitUsage);
  EXPECT_EQ(call({"--help"}).code, kExitOk);
}

TEST_F(CliTest, PrintsWhatIsGenerated) {
  EXPECT_EQ(call({"config", "sample"}).out, config::sample());
  EXPECT_EQ(call({"config", "schema"}).out, config::schema());
  EXPECT_EQ(call({"config", "reference"}).out, config::reference());
  const Outcome version = call({"version"});
  EXPECT_TRUE(version.out.starts_with("weirpool "));
  for (const char* flag : {"--version", "-V"}) {
    const Outcome same = call({flag});
    EXPECT_EQ(same.out, version.out) << flag;
    EXPECT_EQ(same.code, kExitOk) << flag;
  }
  for (const char* flag : {"--help", "-h"}) {
    const Outcome help = call({flag});
    EXPECT_NE(help.out.find("healthcheck"), std::string::npos) << flag;
    EXPECT_EQ(help.code, kExitOk) << flag;
  }
}

TEST_F(CliTest, ChecksAConfiguration) {
  EXPECT_EQ(call({"check", "--config", "/nonexistent"}).code, kExitConfig);
  ::setenv("DATABASE_URL", "postgres://app:hunter2@db/shop", 1);
  EXPECT_EQ(call({"check"}).code, kExitOk);
  const Outcome dump = call({"config", "dump"});
  EXPECT_EQ(dump.code, kExitOk);
  EXPECT_EQ(dump.out.find("hunter2"), std::string::npos);
  ::setenv("DATABASE_URL", "oracle://app:hunter2@db/shop", 1);
  const Outcome wrong = call({"check"});
  EXPECT_EQ(wrong.code, kExitConfig);
  EXPECT_NE(wrong.err.find("must begin with postgres://"), std::string::npos) << wrong.err;
}

TEST_F(CliTest, NobodyThereIsNotHealthy) {
  const Outcome outcome = call({"healthcheck", "--url", "http://127.0.0.1:1/livez"});
  EXPECT_EQ(outcome.code, kExitFailure);
  EXPECT_NE(outcome.err.find("not healthy"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace weirpool::proxy
