#include "protocol/proxy_header.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace weirpool::protocol {
namespace {

using namespace std::string_literals;
using Outcome = ProxyHeader::Outcome;

ProxyHeader parse(const std::string& bytes) { return ProxyHeader::parse(bytes_of(bytes)); }

std::string hex(const std::array<std::uint8_t, 16>& address) {
  std::string text;
  for (const std::uint8_t byte : address) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string binary(char command, char family, const std::string& rest) {
  return kSignature + command + family + static_cast<char>(rest.size() >> 8) +
         static_cast<char>(rest.size() & 0xFF) + rest;
}

const std::string kText4 = "PROXY TCP4 192.0.2.1 192.0.2.9 50000 6432\r\n";
const std::string kText6 = "PROXY TCP6 2001:db8::1 2001:db8::9 1 65535\r\n";
const std::string kBinary4 =
    binary('\x21', '\x11', "\xC0\x00\x02\x01\xC0\x00\x02\x09\xC3\x50\x19\x20"s);
const std::string kBinary6 = binary('\x21', '\x21',
                                    "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01"s +
                                        std::string(15, '\0') + "\x09" + "\x00\x01\xff\xff"s);

TEST(ProxyHeader, TellsTheClientsAddressInEveryForm) {
  for (const std::string& header : {kText4, kBinary4}) {
    const ProxyHeader parsed = parse(header + "what follows");
    ASSERT_EQ(parsed.outcome, Outcome::complete);
    EXPECT_EQ(parsed.size, header.size());
    EXPECT_TRUE(parsed.proxied);
    EXPECT_EQ(hex(parsed.address), "00000000000000000000ffffc0000201");
    EXPECT_EQ(parsed.port, 50000);
  }
  for (const std::string& header : {kText6, kBinary6}) {
    const ProxyHeader parsed = parse(header);
    ASSERT_EQ(parsed.outcome, Outcome::complete);
    EXPECT_EQ(parsed.size, header.size());
    EXPECT_EQ(hex(parsed.address), "20010db8000000000000000000000001");
    EXPECT_EQ(parsed.port, 1);
  }
}

TEST(ProxyHeader, EveryPrefixIsPartial) {
  for (const std::string& header : {kText4, kText6, kBinary4, kBinary6}) {
    for (std::size_t size = 0; size < header.size(); ++size) {
      EXPECT_EQ(parse(header.substr(0, size)).outcome, Outcome::partial) << size;
    }
  }
}

TEST(ProxyHeader, WithoutAClientTheSocketsAddressStands) {
  for (const std::string& header :
       {"PROXY UNKNOWN\r\n"s, "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"s, binary('\x20', '\x11', {}),
        binary('\x20', '\0', "any\xFFthing"s), binary('\x21', '\0', {}),
        binary('\x21', '\x31', std::string(216, 'u'))}) {
    const ProxyHeader parsed = parse(header);
    EXPECT_EQ(parsed.outcome, Outcome::complete);
    EXPECT_FALSE(parsed.proxied);
    EXPECT_EQ(parsed.size, header.size());
  }
}

TEST(ProxyHeader, WhatBalancersAddIsSkipped) {
  const std::string addresses("\xC0\x00\x02\x01\xC0\x00\x02\x09\xC3\x50\x19\x20", 12);
  const std::string header = binary('\x21', '\x11', addresses + "\x04\x00\x03\x00\x00\x00"s);
  const ProxyHeader parsed = parse(header + "rest");
  EXPECT_EQ(parsed.outcome, Outcome::complete);
  EXPECT_EQ(parsed.size, header.size());
  EXPECT_EQ(parsed.port, 50000);
}

TEST(ProxyHeader, WhatIsNoHeaderIsMalformed) {
  const std::string addresses("\xC0\x00\x02\x01\xC0\x00\x02\x09\xC3\x50\x19\x20", 12);
  for (const std::string& bytes : {
           "\0\0\0\x08\x04\xD2\x16\x2F"s,                       // SSLRequest
           "PROXX"s,                                            //
           "PROXY TCP4 192.0.2.1 192.0.2.9 50000\r\n"s,         // a port is missing
           "PROXY TCP4 192.0.2.1 192.0.2.9 50000 6432 1\r\n"s,  // one too many
           "PROXY TCP4 192.0.2.1 192.0.2.9 65536 6432\r\n"s,    //
           "PROXY TCP4 192.0.2.1 192.0.2.9 050 6432\r\n"s,      //
           "PROXY TCP4 192.0.2.1 192.0.2.9 -1 6432\r\n"s,       //
           "PROXY TCP4 192.0.2.1 192.0.2.9 +1 6432\r\n"s,       //
           "PROXY TCP4 2001:db8::1 192.0.2.9 1 6432\r\n"s,      //
           "PROXY TCP6 192.0.2.1 192.0.2.9 1 6432\r\n"s,        //
           "PROXY TCP4 192.0.2.1\0 192.0.2.9 1 6432\r\n"s,      //
           "PROXY TCP4  192.0.2.1 192.0.2.9 1 6432\r\n"s,       // two spaces
           "PROXY UDP4 192.0.2.1 192.0.2.9 1 6432\r\n"s,        //
           "PROXY \r\n"s,                                       //
           "PROXY " + std::string(101, 'x'),                    // no end in sight
           kSignature + "\x11\x11\x00\x0C" + addresses,         // version 1 in binary
           kSignature + "\x22\x11\x00\x0C" + addresses,         // unknown command
           binary('\x21', '\x11', addresses.substr(0, 11)),     // cut short
           binary('\x21', '\x21', addresses),                   // the other family's size
           kSignature + "\x21\x11\xFF\xFF",                     // beyond any bound
       }) {
    EXPECT_EQ(parse(bytes).outcome, Outcome::malformed) << bytes;
  }
}

TEST(ProxyHeader, TheLongestOfEachIsRead) {
  const std::string text = "PROXY UNKNOWN " + std::string(107 - 16, 'x') + "\r\n";
  ASSERT_EQ(text.size(), 107U);
  EXPECT_EQ(parse(text).outcome, Outcome::complete);
  EXPECT_EQ(parse("PROXY UNKNOWN " + std::string(108 - 16, 'x') + "\r\n").outcome,
            Outcome::malformed);
  const std::string longest = binary('\x20', '\0', std::string(kMaxProxyHeader - 16, 'x'));
  EXPECT_EQ(parse(longest).size, kMaxProxyHeader);
  EXPECT_EQ(parse(binary('\x20', '\0', std::string(kMaxProxyHeader - 15, 'x'))).outcome,
            Outcome::malformed);
}

}  // namespace
}  // namespace weirpool::protocol
