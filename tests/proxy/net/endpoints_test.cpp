#include "proxy/net/endpoints.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace weirpool::proxy {
namespace {

using boost::asio::ip::tcp;

TEST(EndpointsTest, OurEndOfAConnection) {
  boost::asio::io_context io;
  for (const char* host : {"127.0.0.1", "::1"}) {
    tcp::acceptor acceptor(io, {boost::asio::ip::make_address(host), 0});
    tcp::socket client(io);
    client.connect(acceptor.local_endpoint());
    EXPECT_EQ(local_endpoint(client.native_handle()).host, host);
    EXPECT_EQ(local_endpoint(client.native_handle()).port, client.local_endpoint().port());
  }
  EXPECT_EQ(local_endpoint(-1).host, "");
}

}  // namespace
}  // namespace weirpool::proxy
