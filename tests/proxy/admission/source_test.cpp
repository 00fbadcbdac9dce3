#include "proxy/admission/source.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cstring>

#include "config/network.hpp"

namespace weirpool::proxy::admission {
namespace {

sockaddr_storage v4(const char* text, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, text, &address.sin_addr);
  sockaddr_storage storage{};
  std::memcpy(&storage, &address, sizeof address);
  return storage;
}

sockaddr_storage v6(const char* text) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  ::inet_pton(AF_INET6, text, &address.sin6_addr);
  sockaddr_storage storage{};
  std::memcpy(&storage, &address, sizeof address);
  return storage;
}

TEST(SourceTest, ANodeIsItsAddressWhateverThePort) {
  EXPECT_EQ(source_of(v4("10.0.0.1", 1)), source_of(v4("10.0.0.1", 2)));
  EXPECT_NE(source_of(v4("10.0.0.1", 1)), source_of(v4("10.0.0.2", 1)));
}

TEST(SourceTest, AMappedAddressIsTheAddress) {
  EXPECT_EQ(source_of(v6("::ffff:10.0.0.1")), source_of(v4("10.0.0.1", 1)));
}

TEST(SourceTest, ANodeOwnsItsWholeSubnetOfIpv6) {
  EXPECT_EQ(source_of(v6("2001:db8:1:2::1")), source_of(v6("2001:db8:1:2:ffff::9")));
  EXPECT_NE(source_of(v6("2001:db8:1:2::1")), source_of(v6("2001:db8:1:3::1")));
  EXPECT_NE(source_of(v6("2001:db8:1:2::1")), source_of(v4("10.0.0.1", 1)));
}

TEST(SourceTest, AnAddressAloneWillDo) {
  config::IpBytes mapped{};
  mapped[10] = mapped[11] = 0xFF;
  mapped[12] = 10;
  mapped[15] = 1;
  EXPECT_EQ(source_of(mapped), source_of(v4("10.0.0.1", 1)));
}

TEST(SourceTest, WhatHasNoAddressIsOneSource) {
  EXPECT_EQ(source_of(config::IpBytes{}), Source{});
  sockaddr_storage local{};
  local.ss_family = AF_UNIX;
  EXPECT_EQ(source_of(local), Source{});
}

}  // namespace
}  // namespace weirpool::proxy::admission
