#include "protocol/postgres/query_messages.hpp"

#include <gtest/gtest.h>

#include "protocol/postgres/frame.hpp"
#include "tests/protocol/postgres/wire_text.hpp"

namespace weirpool::protocol::postgres {
namespace {

namespace pg = test::pg;
using namespace std::string_literals;
using namespace std::string_view_literals;

std::string payload(const std::string& message) { return message.substr(kHeaderSize); }

TEST(QueryMessages, ParseKeepsTextAndTypesTogether) {
  const std::string body = pg::z("select $1") + "\0\1"s + pg::be32(23);
  const std::string bytes = pg::z("s") + body;
  const auto message = ParseMessage::parse(bytes_of(bytes));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->name, "s");
  EXPECT_EQ(message->text, "select $1");
  EXPECT_EQ(text_of(message->body), body);
  Writer out;
  ParseMessage::serialize("t", message->body, out);
  EXPECT_EQ(text_of(out.view()), pg::message('P', pg::z("t") + body));
}

TEST(QueryMessages, EveryTruncationOfParseIsAnError) {
  const std::string bytes = pg::z("s") + pg::z("select $1") + "\0\1"s + pg::be32(23);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseMessage::parse(bytes_of(bytes).first(size))) << size;
  }
  EXPECT_FALSE(ParseMessage::parse(bytes_of(bytes + "x")));
}

TEST(QueryMessages, BindsHeadIsReadAlone) {
  const std::string bytes = payload(pg::bind_to("p", "s", "value"));
  const auto head = BindHead::parse(bytes_of(bytes).first(4));
  ASSERT_TRUE(head);
  EXPECT_EQ(head->portal, "p");
  EXPECT_EQ(head->statement, "s");
  EXPECT_EQ(head->size, 4U);
  EXPECT_FALSE(BindHead::parse(bytes_of(bytes).first(3)));
}

TEST(QueryMessages, NamesAreOfStatementsOrPortals) {
  EXPECT_EQ(NameMessage::parse(bytes_of(payload(pg::describe('P', "x"))))->kind, 'P');
  EXPECT_FALSE(NameMessage::parse(bytes_of(payload(pg::describe('Q', "x")))));
  EXPECT_FALSE(NameMessage::parse(bytes_of("Sx"sv)));
  Writer out;
  NameMessage{'S', "x"}.serialize('C', out);
  EXPECT_EQ(text_of(out.view()), pg::close_of('S', "x"));
}

TEST(QueryMessages, ParameterStatusReadsBack) {
  Writer out;
  ParameterStatus{"TimeZone", "UTC"}.serialize(out);
  EXPECT_EQ(text_of(out.view()), pg::status("TimeZone", "UTC"));
  const auto message = ParameterStatus::parse(out.view().subspan(kHeaderSize));
  EXPECT_EQ(message->value, "UTC");
  EXPECT_FALSE(ParameterStatus::parse(bytes_of("TimeZone\0UTC"sv)));
}

TEST(QueryMessages, ErrorsAreReadAsFarAsTheyAreThere) {
  const std::string bytes = payload(pg::error("57P01", "terminating", "FATAL"));
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const ErrorResponse error = ErrorResponse::parse(bytes_of(bytes).first(size));
    EXPECT_TRUE(error.sqlstate.empty() || error.sqlstate == "57P01");
  }
  EXPECT_TRUE(ErrorResponse::parse(bytes_of(bytes)).fatal());
  EXPECT_FALSE(ErrorResponse::parse({}).fatal());
  const std::string old = "S" + pg::z("FATAL") + '\0';
  EXPECT_TRUE(ErrorResponse::parse(bytes_of(old)).fatal());
}

TEST(QueryMessages, FaultsBecomeErrors) {
  Writer out;
  write_error(Fault::pool_timeout, {}, "waited long", out);
  const ErrorResponse kept = ErrorResponse::parse(out.view().subspan(kHeaderSize));
  EXPECT_EQ(kept.severity, "ERROR");
  EXPECT_EQ(kept.sqlstate, "53300");
  EXPECT_EQ(kept.detail, "waited long");
  out.clear();
  write_error(Fault::login_denied, "no", {}, out);
  const ErrorResponse ends = ErrorResponse::parse(out.view().subspan(kHeaderSize));
  EXPECT_TRUE(ends.fatal());
  EXPECT_EQ(ends.message, "no");
  out.clear();
  write_refusal(Fault::backend_unavailable, "down", out);
  const ErrorResponse refused = ErrorResponse::parse(out.view().subspan(kHeaderSize));
  EXPECT_EQ(refused.severity, "ERROR");
  EXPECT_EQ(refused.sqlstate, "57P03");
  EXPECT_EQ(refused.detail, "down");
}

TEST(QueryMessages, SmallOnes) {
  Writer out;
  write_ready('T', out);
  write_query("select 1", out);
  write_bare('X', out);
  EXPECT_EQ(text_of(out.view()), pg::ready('T') + pg::query("select 1") + pg::terminate());
}

}  // namespace
}  // namespace weirpool::protocol::postgres
