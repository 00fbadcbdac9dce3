#include "proxy/admin/admin_server.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>
#include <string>
#include <system_error>

#include "config/limits.hpp"
#include "proxy/admin/http_get.hpp"

namespace weirpool::admin {
namespace {

using boost::asio::ip::tcp;

class AdminServerTest : public testing::Test {
 protected:
  static Pages pages() {
    return {[] { return std::string("m 1\n"); }, [] { return Health{}; },
            []() -> Health { throw std::runtime_error("no idea"); }};
  }
  config::Address address() const { return {"127.0.0.1", server_.port()}; }

  /// Sends raw bytes, returns all that comes back until the other side closes.
  std::string talk(const std::string& bytes) const {
    boost::asio::io_context io;
    tcp::socket socket(io);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), server_.port()});
    boost::system::error_code error;
    boost::asio::write(socket, boost::asio::buffer(bytes), error);
    std::string text;
    boost::asio::read(socket, boost::asio::dynamic_buffer(text), error);
    return text;
  }

  AdminServer server_{{"127.0.0.1", 0}, pages()};
};

TEST_F(AdminServerTest, ServesPages) {
  EXPECT_EQ(http_get(address(), "/livez").status, 200U);
  EXPECT_EQ(http_get(address(), "/metrics").body, "m 1\n");
  EXPECT_EQ(http_get(address(), "/nothing").status, 404U);
  EXPECT_EQ(http_get(address(), "/readyz").status, 500U) << "a page that throws";
  EXPECT_EQ(http_get({"0.0.0.0", server_.port()}, "/livez").status, 200U);
}

TEST_F(AdminServerTest, KeepsAConnection) {
  const std::string text = talk(
      "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_NE(text.find("ok\n"), std::string::npos) << text;
  EXPECT_NE(text.find("m 1\n"), std::string::npos) << text;
}

TEST_F(AdminServerTest, HeadHasNoBody) {
  const std::string text = talk("HEAD /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_NE(text.find("Content-Length: 4\r\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\r\n\r\n")) << text;
}

TEST_F(AdminServerTest, BadRequestsAreTurnedAway) {
  const std::string post = "POST /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  EXPECT_NE(talk(post).find("405 Method Not Allowed"), std::string::npos);
  EXPECT_NE(talk("nonsense\r\n\r\n").find("400 Bad Request"), std::string::npos);
  const std::string body = "POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
  EXPECT_NE(talk(body).find("413"), std::string::npos);
  const std::string long_header = "GET /livez HTTP/1.1\r\nX: " + std::string(9000, 'x');
  EXPECT_NE(talk(long_header + "\r\n\r\n").find("413"), std::string::npos);
}

TEST_F(AdminServerTest, VisitorsAreBounded) {
  boost::asio::io_context io;
  std::vector<tcp::socket> sockets;
  for (std::size_t i = 0; i < config::kAdminMaxConnections; ++i) {
    sockets.emplace_back(io);
    sockets.back().connect({boost::asio::ip::make_address("127.0.0.1"), server_.port()});
  }
  EXPECT_EQ(talk("GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), "");
}

TEST_F(AdminServerTest, ATakenPortIsAnErrorAtStart) {
  EXPECT_THROW(AdminServer(address(), pages()), std::system_error);
}

TEST_F(AdminServerTest, StopsTwiceAndThenRefuses) {
  const config::Address before = address();
  server_.stop();
  server_.stop();
  const HttpAnswer answer = http_get(before, "/livez");
  EXPECT_EQ(answer.status, 0U);
  EXPECT_NE(answer.error, "");
}

}  // namespace
}  // namespace weirpool::admin
