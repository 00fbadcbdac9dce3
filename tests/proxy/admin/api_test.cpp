#include "proxy/admin/api.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace weirpool::admin {
namespace {

class ApiTest : public testing::Test {
 protected:
  Answer call(std::string_view method, std::string_view target) {
    call_.method = method;
    call_.target = target;
    Answer heard;
    serve_api(order_, call_, [&heard](Answer answer) { heard = std::move(answer); });
    return heard;
  }

  ApiTest() { call_.local = true; }

  ApiCall call_;
  std::vector<std::string> commands_;
  protocol::console::Answer outcome_ = protocol::console::Answer::done("DONE");
  Pages::Order order_ = [this](std::string command, bool patient, auto done) {
    EXPECT_FALSE(patient);
    commands_.push_back(std::move(command));
    done(outcome_);
  };
};

TEST_F(ApiTest, TablesAreObjects) {
  outcome_.table.columns = {{"n", protocol::console::Type::int4}};
  outcome_.table.rows = {{"5"}};
  const Answer answer = call("GET", "/api/v1/pools");
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.body, "[{\"n\":5}]\n");
  EXPECT_EQ(commands_, std::vector<std::string>{"SHOW POOLS_EXTENDED"});
}

TEST_F(ApiTest, StatusIsOneObjectWithKindsOfValues) {
  outcome_.table.rows = {{"a", "yes"}, {"b", "17"}, {"c", "1.2"}};
  EXPECT_EQ(call("GET", "/api/v1/status").body, "{\"a\":true,\"b\":17,\"c\":\"1.2\"}\n");
}

TEST_F(ApiTest, TheScalingSignalIsOneObjectOfNumbers) {
  using protocol::console::Type;
  outcome_.table.columns = {{"scope", Type::text},    {"backend", Type::text},
                            {"database", Type::text}, {"user", Type::text},
                            {"verdict", Type::text},  {"demand", Type::numeric},
                            {"sources", Type::int8}};
  outcome_.table.rows = {{"whole", "", "", "", "scale_web_ok", "1.5000", "3"},
                         {"backend", "shop", "", "", "scale_web_ok", "1.5000", "3"},
                         {"pool", "shop", "app", "ann", "scale_web_ok", "1.5000", "3"}};
  const Answer known = call("GET", "/api/v1/scaling");
  EXPECT_EQ(known.status, 200U);
  EXPECT_EQ(known.body,
            "{\"backends\":[{\"backend\":\"shop\",\"demand\":1.5,\"sources\":3,"
            "\"verdict\":\"scale_web_ok\"}],\"demand\":1.5,\"pools\":[{\"backend\":\"shop\","
            "\"database\":\"app\",\"demand\":1.5,\"sources\":3,\"user\":\"ann\","
            "\"verdict\":\"scale_web_ok\"}],\"sources\":3,\"verdict\":\"scale_web_ok\"}\n");
  outcome_.table.rows[0][4] = "hold_database_bound";
  EXPECT_EQ(call("GET", "/api/v1/scaling").status, 200U);
  outcome_.table.rows[0][4] = "hold_unknown";
  EXPECT_EQ(call("GET", "/api/v1/scaling").status, 503U);
  EXPECT_EQ(commands_.back(), "SHOW SCALING");
}

TEST_F(ApiTest, OrdersArePosted) {
  EXPECT_EQ(call("POST", "/api/v1/reload").body, "{\"done\":\"DONE\",\"ok\":true}\n");
  EXPECT_EQ(call("POST", "/api/v1/pause?database=my%20%22app").status, 200U);
  EXPECT_EQ(call("POST", "/api/v1/resume").status, 200U);
  EXPECT_EQ(call("POST", "/api/v1/drain").status, 200U);
  EXPECT_EQ(commands_, (std::vector<std::string>{"RELOAD", "PAUSE \"my \"\"app\"", "RESUME",
                                                 "SHUTDOWN WAIT_FOR_CLIENTS"}));
  outcome_ = protocol::console::Answer::failed("08P01", "already paused");
  const Answer refused = call("POST", "/api/v1/pause");
  EXPECT_EQ(refused.status, 409U);
  EXPECT_EQ(refused.body, "{\"error\":\"already paused\"}\n");
}

TEST_F(ApiTest, NothingChangesByLooking) {
  for (const char* path : {"reload", "pause", "resume", "drain"}) {
    const Answer answer = call("GET", "/api/v1/" + std::string(path));
    EXPECT_EQ(answer.status, 405U);
    EXPECT_EQ(answer.allow, "POST");
  }
  EXPECT_EQ(call("POST", "/api/v1/pools").allow, "GET, HEAD");
  EXPECT_EQ(call("GET", "/api/v1/nothing").status, 404U);
  EXPECT_TRUE(commands_.empty());
  EXPECT_EQ(call("HEAD", "/api/v1/pools").status, 200U);
}

TEST_F(ApiTest, OrdersComeFromThisMachineAndFromNoOtherSite) {
  call_.local = false;
  EXPECT_EQ(call("POST", "/api/v1/reload").status, 403U);
  EXPECT_EQ(call("GET", "/api/v1/pools").status, 200U);
  call_.local = true;
  call_.host = "127.0.0.1:9127";
  call_.origin = "http://evil.example";
  EXPECT_EQ(call("POST", "/api/v1/reload").status, 403U);
  call_.origin = "http://127.0.0.1:9127";
  EXPECT_EQ(call("POST", "/api/v1/reload").status, 200U);
}

TEST_F(ApiTest, OnlyItsOwnPaths) {
  EXPECT_TRUE(is_api("/api/v1/pools"));
  EXPECT_FALSE(is_api("/metrics"));
}

}  // namespace
}  // namespace weirpool::admin
