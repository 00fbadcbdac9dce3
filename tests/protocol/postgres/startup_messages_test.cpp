#include "protocol/postgres/startup_messages.hpp"

#include <gtest/gtest.h>

#include "protocol/postgres/frame.hpp"
#include "tests/protocol/postgres/wire_text.hpp"

namespace weirpool::protocol::postgres {
namespace {

namespace pg = test::pg;

TEST(StartupMessages, StartupReadsBackWhatItWrites) {
  StartupMessage message;
  message.version = kProtocol30;
  message.parameters = {{"user", "app"}, {"database", ""}};
  Writer out;
  message.serialize(out);
  EXPECT_EQ(text_of(out.view()), pg::startup({{"user", "app"}, {"database", ""}}));
  const auto read = StartupMessage::parse(out.view());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->major(), 3U);
  EXPECT_EQ(read->parameters, message.parameters);
}

TEST(StartupMessages, EveryTruncationIsAnError) {
  const std::string whole = pg::startup({{"user", "app"}, {"database", "db"}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::string cut = whole.substr(0, size);
    if (size >= 4) cut.replace(0, 4, pg::be32(static_cast<std::uint32_t>(size)));
    EXPECT_FALSE(StartupMessage::parse(bytes_of(cut))) << size;
  }
  EXPECT_FALSE(StartupMessage::parse(bytes_of(whole + "x")));
}

TEST(StartupMessages, BytesBehindTheTerminatorAreAnError) {
  const std::string bytes = pg::packet(kProtocol30, pg::z("user") + pg::z("app") + '\0' + "junk");
  EXPECT_FALSE(StartupMessage::parse(bytes_of(bytes)));
}

TEST(StartupMessages, CancelKeysOfAllLegalLengths) {
  for (const std::size_t size : {3U, 4U, 32U, 256U, 257U}) {
    const std::string key(size, 'k');
    const std::string bytes = pg::packet(kCancelCode, pg::be32(7) + key);
    const auto request = CancelRequest::parse(bytes_of(bytes));
    EXPECT_EQ(request.has_value(), size >= 4 && size <= 256) << size;
    if (!request) continue;
    EXPECT_EQ(text_of(request->id_and_key), pg::be32(7) + key);
    Writer out;
    CancelRequest::serialize(7, bytes_of(key), out);
    EXPECT_EQ(text_of(out.view()), bytes);
  }
}

TEST(StartupMessages, RequestsAreKnownByTheirCode) {
  Writer out;
  write_ssl_request(out);
  EXPECT_EQ(text_of(out.view()), pg::packet(80877103));
  EXPECT_EQ(startup_code(out.view()), kSslCode);
  EXPECT_EQ(kGssCode, 80877104U);
  EXPECT_EQ(kCancelCode, 80877102U);
}

TEST(StartupMessages, NegotiationReadsBackWhatItWrites) {
  NegotiateProtocolVersion message;
  message.unknown_options = {"_pq_.one", "_pq_.two"};
  Writer out;
  message.serialize(out);
  const auto read = NegotiateProtocolVersion::parse(out.view().subspan(kHeaderSize));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->version, kProtocol30);
  EXPECT_EQ(read->unknown_options, message.unknown_options);
}

}  // namespace
}  // namespace weirpool::protocol::postgres
