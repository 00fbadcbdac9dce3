#include "config/network.hpp"

#include <gtest/gtest.h>

namespace weirpool::config {
namespace {

IpBytes ip(const std::string& text) { return parse_network(text).value.value().prefix; }

bool holds(const std::string& network, const std::string& address) {
  return parse_network(network).value.value().contains(ip(address));
}

TEST(Network, HoldsWhatSharesItsPrefix) {
  EXPECT_TRUE(holds("10.0.0.0/8", "10.255.1.2"));
  EXPECT_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(holds("192.0.2.4/31", "192.0.2.5"));
  EXPECT_FALSE(holds("192.0.2.4/31", "192.0.2.6"));
  EXPECT_TRUE(holds("0.0.0.0/0", "203.0.113.1"));
  EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(holds("::/0", "2001:db8::1"));
  EXPECT_FALSE(holds("::/0", "192.0.2.1"));
  EXPECT_FALSE(holds("::/80", "192.0.2.1"));
  EXPECT_TRUE(holds("0.0.0.0/0", "192.0.2.1"));
  EXPECT_TRUE(holds("fd00::/8", "fd12::1"));
  EXPECT_FALSE(holds("fd00::/8", "fe80::1"));
}

TEST(Network, AnAddressAloneIsANetworkOfOne) {
  EXPECT_TRUE(holds("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(holds("192.0.2.1", "192.0.2.0"));
  EXPECT_TRUE(holds("::1", "::1"));
}

TEST(Network, AnIpv4AddressIsTheSameHoweverItCame) {
  EXPECT_TRUE(holds("192.0.2.0/24", "::ffff:192.0.2.7"));
}

TEST(Network, NonsenseIsRefused) {
  for (const char* text : {"", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.1/8", "10.0.0.0/",
                           "10.0.0.0/8/8", "example.com", "10.0.0.0/-1"}) {
    EXPECT_FALSE(parse_network(text).value) << text;
    EXPECT_FALSE(parse_network(text).error.empty()) << text;
  }
}

TEST(Network, AddressesAreShownAsPeopleWriteThem) {
  EXPECT_EQ(format_ip(ip("192.0.2.1")), "192.0.2.1");
  EXPECT_EQ(format_ip(ip("2001:db8:0:0::1")), "2001:db8::1");
}

}  // namespace
}  // namespace weirpool::config
