#include "protocol/postgres/auth_messages.hpp"

#include <gtest/gtest.h>

#include "protocol/postgres/frame.hpp"
#include "tests/protocol/postgres/wire_text.hpp"

namespace weirpool::protocol::postgres {
namespace {

namespace pg = test::pg;

Bytes payload_of(const Writer& out) { return out.view().subspan(kHeaderSize); }

TEST(AuthMessages, RequestsReadBack) {
  Writer out;
  write_auth_ok(out);
  EXPECT_EQ(text_of(out.view()), pg::auth(0));
  EXPECT_EQ(Authentication::parse(payload_of(out))->kind, AuthKind::ok);
  out.clear();
  write_auth_cleartext(out);
  EXPECT_EQ(Authentication::parse(payload_of(out))->kind, AuthKind::cleartext);
  out.clear();
  write_auth_md5({1, 2, 3, 4}, out);
  EXPECT_EQ(text_of(Authentication::parse(payload_of(out))->data), "\1\2\3\4");
  out.clear();
  write_auth_sasl(false, out);
  const auto sasl = Authentication::parse(payload_of(out));
  EXPECT_EQ(sasl->mechanisms, std::vector<std::string_view>{"SCRAM-SHA-256"});
  out.clear();
  write_auth_sasl_data(AuthKind::sasl_continue, "r=x", out);
  EXPECT_EQ(text_of(Authentication::parse(payload_of(out))->data), "r=x");
}

TEST(AuthMessages, MalformedRequestsAreErrors) {
  const std::vector<std::string> broken{"",
                                        pg::be32(0) + "x",
                                        pg::be32(5) + "abc",
                                        pg::be32(5) + "abcde",
                                        pg::be32(10) + "SCRAM",
                                        pg::be32(10) + pg::z("SCRAM"),
                                        pg::be32(10) + pg::z("SCRAM") + '\0' + "x"};
  for (const std::string& bytes : broken) {
    EXPECT_FALSE(Authentication::parse(bytes_of(bytes))) << bytes;
  }
}

TEST(AuthMessages, ResponsesReadBack) {
  Writer out;
  PasswordMessage{"secret"}.serialize(out);
  EXPECT_EQ(text_of(out.view()), pg::password(pg::z("secret")));
  EXPECT_EQ(PasswordMessage::parse(payload_of(out))->password, "secret");
  EXPECT_FALSE(PasswordMessage::parse(bytes_of("no zero byte")));
  EXPECT_FALSE(PasswordMessage::parse(bytes_of(pg::z("a") + "b")));
  out.clear();
  SaslInitialResponse{"SCRAM-SHA-256", "n,,"}.serialize(out);
  const auto initial = SaslInitialResponse::parse(payload_of(out));
  EXPECT_EQ(initial->mechanism, "SCRAM-SHA-256");
  EXPECT_EQ(initial->data, "n,,");
}

TEST(AuthMessages, SaslLengthsAreBelievedOnlyIfTheyFit) {
  EXPECT_FALSE(SaslInitialResponse::parse(bytes_of(pg::z("M") + pg::be32(5) + "n,,")));
  EXPECT_FALSE(SaslInitialResponse::parse(bytes_of(pg::z("M") + pg::be32(2) + "n,,")));
  EXPECT_FALSE(SaslInitialResponse::parse(bytes_of(pg::z("M") + pg::be32(0xFFFFFFFE) + "n,,")));
  EXPECT_TRUE(SaslInitialResponse::parse(bytes_of(pg::z("M") + pg::be32(0xFFFFFFFF))));
}

TEST(AuthMessages, KeyDataOfAllLegalLengths) {
  for (const std::size_t size : {3U, 4U, 256U, 257U}) {
    const std::string bytes = pg::be32(42) + std::string(size, 'k');
    const auto data = BackendKeyData::parse(bytes_of(bytes));
    EXPECT_EQ(data.has_value(), size >= 4 && size <= 256) << size;
    if (!data) continue;
    Writer out;
    data->serialize(out);
    EXPECT_EQ(text_of(out.view()), pg::message('K', bytes));
  }
}

}  // namespace
}  // namespace weirpool::protocol::postgres
