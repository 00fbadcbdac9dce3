#include "proxy/admin/http_get.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <thread>

#include "config/limits.hpp"

namespace weirpool::admin {
namespace {

using boost::asio::ip::tcp;

/// What http_get() makes of a peer that answers with `bytes` and closes.
HttpAnswer get_from(const std::string& bytes) {
  boost::asio::io_context io;
  tcp::acceptor acceptor(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
  std::thread peer([&] {
    tcp::socket socket = acceptor.accept();
    boost::system::error_code ignored;
    boost::asio::write(socket, boost::asio::buffer(bytes), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
    char rest[512];
    while (socket.read_some(boost::asio::buffer(rest), ignored) > 0 && !ignored) {
    }
  });
  HttpAnswer answer = http_get({"127.0.0.1", acceptor.local_endpoint().port()}, "/livez");
  peer.join();
  return answer;
}

TEST(HttpGet, ReadsAnAnswer) {
  const HttpAnswer answer = get_from("HTTP/1.1 503 No\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(answer.status, 503U);
  EXPECT_EQ(answer.body, "abc");
  EXPECT_EQ(answer.error, "");
}

TEST(HttpGet, SurvivesNonsense) {
  EXPECT_NE(get_from("SSH-2.0-OpenSSH\r\n").error, "");
  EXPECT_NE(get_from("").error, "");
  const std::string large(config::kHealthcheckMaxBytes + 1, 'x');
  EXPECT_NE(get_from("HTTP/1.0 200 OK\r\n\r\n" + large).error, "");
  EXPECT_NE(http_get({"host.invalid", 1}, "/").error, "");
}

}  // namespace
}  // namespace weirpool::admin
