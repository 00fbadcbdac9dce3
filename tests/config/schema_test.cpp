#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config_fixture.hpp"

namespace weirpool::config {
namespace {

TEST(Schema, DescribesEveryLevel) {
  const auto root = nlohmann::json::parse(schema());
  EXPECT_EQ(root["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(root["additionalProperties"], false);
  EXPECT_EQ(root["required"], nlohmann::json({"backends", "listeners"}));
  const auto& backend = root["properties"]["backends"]["additionalProperties"];
  EXPECT_EQ(backend["required"], nlohmann::json({"protocol", "address", "max_connections"}));
  EXPECT_EQ(backend["properties"]["max_connections"]["anyOf"][0]["maximum"], 100'000);
  EXPECT_EQ(backend["properties"]["tls"]["properties"]["mode"]["anyOf"][0]["enum"].size(), 5U);
  const auto& listener = root["properties"]["listeners"]["items"];
  EXPECT_EQ(listener["additionalProperties"], false);
  EXPECT_EQ(root["properties"]["limits"]["properties"]["max_connecting"]["default"], 4);
  EXPECT_EQ(root["properties"]["timeouts"]["properties"]["client_idle_timeout"]["default"], 0);
}

}  // namespace
}  // namespace weirpool::config
