#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "config/load.hpp"
#include "proxy/server.hpp"

namespace weirpool::proxy {
namespace {

std::string check(const std::string& protocol, int expected) {
  const std::string text = "backends:\n  shop:\n    protocol: " + protocol +
                           "\n    address: 127.0.0.1:1\n    max_connections: 2\n"
                           "listeners:\n  - address: 127.0.0.1:16432\n    backend: shop\n"
                           "users:\n  app:\n    password: secret\n";
  const config::Loaded loaded = config::load_text(text, "test.yaml");
  EXPECT_TRUE(loaded.config);
  std::ostringstream out;
  EXPECT_EQ(check_online(loaded.config, out), expected);
  return out.str();
}

TEST(CheckOnline, AServerThatIsNotThereFailsPerUserAndSaysWhy) {
  for (const char* protocol : {"postgresql", "mysql"}) {
    const std::string told = check(protocol, 1);
    EXPECT_NE(told.find("FAILED  shop as app: backend_unavailable"), std::string::npos) << told;
    EXPECT_EQ(told.find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace weirpool::proxy
