#include "proxy/server.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdio>
#include <fstream>
#include <string>

namespace weirpool::proxy {
namespace {

using boost::asio::ip::tcp;

class ServerTest : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    const std::string path = testing::TempDir() + "weirpool_server_test.yaml";
    std::ofstream(path) << text;
    return path;
  }

  boost::asio::io_context io_;
  tcp::acceptor taken_{io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
};

TEST_F(ServerTest, AWrongConfigurationIsExitCode78AndEveryProblemIsTold) {
  const std::string path = write("backends: {}\nlisteners: 5\nnonsense: 1\n");
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_server({path, ""}), 78);
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_NE(told.find("nonsense"), std::string::npos) << told;
  EXPECT_NE(told.find("listeners"), std::string::npos) << told;
}

TEST_F(ServerTest, AMissingFileIsExitCode78) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_server({"/nonexistent/weirpool.yaml", ""}), 78);
  EXPECT_FALSE(testing::internal::GetCapturedStderr().empty());
}

TEST_F(ServerTest, AnAddressThatIsTakenIsExitCode1) {
  const std::string port = std::to_string(taken_.local_endpoint().port());
  const std::string path = write(
      "backends:\n  shop:\n    protocol: postgresql\n    address: 127.0.0.1:1\n"
      "    max_connections: 2\nlisteners:\n  - address: 127.0.0.1:" +
      port + "\n    backend: shop\nusers:\n  app:\n    password: secret\n");
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_server({path, ""}), 1);
  testing::internal::GetCapturedStdout();
}

}  // namespace
}  // namespace weirpool::proxy
