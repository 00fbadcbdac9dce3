#include "protocol/mysql/handshake_messages.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/protocol/mysql/wire_text.hpp"

namespace weirpool::test::mysql {
namespace {

using protocol::Bytes;
using protocol::bytes_of;

Greeting sample_greeting() {
  Greeting greeting;
  greeting.version = "9.7.4";
  greeting.thread_id = 0x01020304;
  std::fill(greeting.scramble.begin(), greeting.scramble.end(), std::uint8_t{'s'});
  greeting.capabilities = kOfferedToClients | cap::ssl;
  greeting.collation = 255;
  greeting.status = 2;
  greeting.plugin = kSha2Plugin;
  return greeting;
}

TEST(MysqlHandshake, GreetingRoundTripsAndRefusesEveryTruncation) {
  Writer out;
  sample_greeting().serialize(out);
  const auto parsed = Greeting::parse(out.view());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->version, "9.7.4");
  EXPECT_EQ(parsed->thread_id, 0x01020304u);
  EXPECT_EQ(parsed->scramble, sample_greeting().scramble);
  EXPECT_EQ(parsed->capabilities, kOfferedToClients | cap::ssl);
  EXPECT_EQ(parsed->collation, 255);
  EXPECT_EQ(parsed->plugin, kSha2Plugin);
  const std::size_t fixed = out.size() - kSha2Plugin.size() - 1;
  for (std::size_t n = 0; n < fixed; ++n) EXPECT_FALSE(Greeting::parse(out.view().first(n))) << n;
}

TEST(MysqlHandshake, ResponseInAllThreeEncodingsOfTheToken) {
  for (const std::uint64_t bits :
       {cap::plugin_auth_lenenc | cap::secure_connection, cap::secure_connection + 0UL}) {
    HandshakeResponse response;
    response.capabilities = bits | cap::connect_with_db | cap::plugin_auth | cap::connect_attrs;
    response.user = "bob";
    response.authentication = bytes_of("0123456789abcdef0123");
    response.database = "shop";
    response.plugin = kNativePlugin;
    const std::string attributes = lenenc("program_name") + lenenc("cart");
    response.attributes = bytes_of(attributes);
    Writer out;
    response.serialize(out);
    const auto parsed = HandshakeResponse::parse(out.view());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->user, "bob");
    EXPECT_EQ(protocol::text_of(parsed->authentication), "0123456789abcdef0123");
    EXPECT_EQ(parsed->database, "shop");
    EXPECT_EQ(parsed->plugin, kNativePlugin);
    EXPECT_EQ(attribute_of(parsed->attributes, "program_name"), "cart");
    EXPECT_EQ(attribute_of(parsed->attributes, "other"), "");
    for (std::size_t n = 0; n < 32 + 4 + 20; ++n) {
      EXPECT_FALSE(HandshakeResponse::parse(out.view().first(n))) << n;
    }
  }
  std::string old = std::string("\0\2\0\0\0\0\0\1\41", 9) + std::string(23, '\0') + "bob";
  old.push_back('\0');
  old += "tok";
  old.push_back('\0');
  const auto parsed = HandshakeResponse::parse(bytes_of(old));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(protocol::text_of(parsed->authentication), "tok");
}

TEST(MysqlHandshake, LengthsThatReachPastTheEndAreRefused) {
  std::string head = std::string(32, '\0') + "bob";
  head.push_back('\0');
  head[1] = '\x82';  // secure connection, protocol 41
  EXPECT_FALSE(HandshakeResponse::parse(bytes_of(head + "\x20short")));
  head[2] = '\x20';  // lenenc
  EXPECT_FALSE(HandshakeResponse::parse(bytes_of(head + "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFx")));
  EXPECT_EQ(attribute_of(bytes_of("\x05"
                                  "ab"),
                         "ab"),
            "");
}

TEST(MysqlHandshake, TrailingBytesOfOldClientsPass) {
  HandshakeResponse response;
  response.capabilities = cap::secure_connection;
  response.user = "bob";
  Writer out;
  response.serialize(out);
  out.u8(0);
  EXPECT_TRUE(HandshakeResponse::parse(out.view()));
}

TEST(MysqlHandshake, AuthSwitchRoundTrips) {
  const Scramble scramble = make_scramble();
  Writer out;
  AuthSwitch{kNativePlugin, scramble}.serialize(out);
  const auto parsed = AuthSwitch::parse(out.view());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->plugin, kNativePlugin);
  ASSERT_EQ(parsed->data.size(), scramble.size() + 1);
  EXPECT_TRUE(std::equal(scramble.begin(), scramble.end(), parsed->data.begin()));
  EXPECT_FALSE(AuthSwitch::parse(bytes_of("\xFEno end")));
  EXPECT_FALSE(AuthSwitch::parse(bytes_of("x")));
}

TEST(MysqlHandshake, ChangeUserMayEndBehindTheDatabase) {
  const std::uint32_t all = cap::secure_connection | cap::plugin_auth | cap::connect_attrs;
  const std::string head = std::string("\x11") + "bob" + '\0' + "\2to" + "shop" + '\0';
  const auto bare = ChangeUser::parse(bytes_of(head), all);
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->user, "bob");
  EXPECT_EQ(protocol::text_of(bare->authentication), "to");
  EXPECT_EQ(bare->database, "shop");
  EXPECT_EQ(bare->collation, 0);
  const std::string attributes = lenenc("k") + lenenc("v");
  const std::string whole = head + std::string("\xFF\0", 2) + "dialog" + '\0' + lenenc(attributes);
  const auto full = ChangeUser::parse(bytes_of(whole), all);
  ASSERT_TRUE(full);
  EXPECT_EQ(full->collation, 255);
  EXPECT_EQ(full->plugin, "dialog");
  EXPECT_EQ(attribute_of(full->attributes, "k"), "v");
  const std::string short_form = std::string("\x11") + "bob" + '\0' + "tok" + '\0' + "d";
  const auto old = ChangeUser::parse(bytes_of(short_form), 0);
  ASSERT_TRUE(old);
  EXPECT_EQ(protocol::text_of(old->authentication), "tok");
  EXPECT_EQ(old->database, "d");
  for (std::size_t size = 0; size < head.size() - 5; ++size) {
    EXPECT_FALSE(ChangeUser::parse(bytes_of(head).first(size), all)) << size;
  }
}

TEST(MysqlHandshake, ScramblesAreFreshAndFreeOfEndMarks) {
  Scramble before{};
  for (int i = 0; i < 2000; ++i) {
    const Scramble scramble = make_scramble();
    EXPECT_NE(scramble, before);
    for (const std::uint8_t byte : scramble) {
      EXPECT_NE(byte, 0);
      EXPECT_NE(byte, '$');
      EXPECT_LT(byte, 0x80);
    }
    before = scramble;
  }
}

TEST(MysqlHandshake, SslRequestIsTheHeadOfAResponse) {
  Writer out;
  write_ssl_request(out, cap::ssl, 45);
  EXPECT_EQ(out.size(), kSslRequestSize);
}

}  // namespace
}  // namespace weirpool::test::mysql
