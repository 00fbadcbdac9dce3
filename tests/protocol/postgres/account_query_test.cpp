#include "protocol/postgres/account_query.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/postgres/wire_text.hpp"
#include "tests/support/wire_script.hpp"

namespace weirpool::test::pg {
namespace {

namespace postgres = protocol::postgres;

std::string be16(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 255)};
}

/// A row; "" stands for null.
std::string account_row(const std::vector<std::string>& values) {
  std::string body = be16(static_cast<unsigned>(values.size()));
  for (const std::string& value : values) {
    body +=
        value.empty() ? be32(0xFFFFFFFF) : be32(static_cast<std::uint32_t>(value.size())) + value;
  }
  return message('D', body);
}

std::string answer(const std::string& rows) {
  return message('1', "") + message('2', "") + rows + message('C', z("SELECT 1")) + ready();
}

struct Asked {
  explicit Asked(const std::string& heard) : query("select $1", "app"), wire(query) {
    wire.pump();
    wire.feed(Party::backend, heard);
  }
  postgres::PostgresAccountQuery query;
  Wire wire;
};

TEST(AccountQuery, TheNameIsAParameterNeverPartOfTheText) {
  const std::string evil = "x'; drop table users; --";
  postgres::PostgresAccountQuery query("select $1", evil);
  Wire wire(query);
  wire.pump();
  EXPECT_EQ(wire.to_backend(),
            message('P', z("") + z("select $1") + be16(0)) +
                message('B', z("") + z("") + be16(0) + be16(1) +
                                 be32(static_cast<std::uint32_t>(evil.size())) + evil + be16(0)) +
                message('E', z("") + be32(2)) + message('S', ""));
}

TEST(AccountQuery, SaysWhatIsStored) {
  Asked asked(answer(account_row({"app", "md5abc"})));
  ASSERT_EQ(asked.wire.events(), std::vector{Kind::done});
  const auto account = asked.query.take_account();
  ASSERT_TRUE(account);
  EXPECT_EQ(account->verifier, "md5abc");
  EXPECT_FALSE(account->seconds_left);
}

TEST(AccountQuery, ThirdColumnIsWhatIsLeft) {
  Asked limited(answer(account_row({"app", "x", "12.5"})));
  EXPECT_EQ(limited.query.take_account()->seconds_left, 12.5);
  Asked unlimited(answer(account_row({"app", "x", ""})));
  EXPECT_FALSE(unlimited.query.take_account()->seconds_left);
  for (const char* over : {"0", "-3"}) {
    Asked expired(answer(account_row({"app", "x", over})));
    EXPECT_EQ(expired.wire.count(Kind::done), 1U);
    EXPECT_FALSE(expired.query.take_account());
  }
}

TEST(AccountQuery, NobodyIsNobody) {
  for (const std::string& rows : {std::string(), account_row({"app", ""}), account_row({"", "x"}),
                                  account_row({"APP", "x"}), account_row({"app2", "x"})}) {
    Asked asked(answer(rows));
    EXPECT_EQ(asked.wire.count(Kind::done), 1U);
    EXPECT_FALSE(asked.query.take_account());
  }
}

TEST(AccountQuery, OddAnswersAreNone) {
  for (const std::string& heard :
       {answer(account_row({"app"})), answer(account_row({"app", "x", "y", "z"})),
        answer(account_row({"app", "x", "soon"})),
        answer(account_row({"app", "x"}) + account_row({"app", "y"})),
        account_row({"app", "x"}) + message('s', ""),
        answer(message('D', be16(2) + be32(100) + "short")), message('Z', "T"), message('G', ""),
        std::string("D\0\0\0\1", 5), message('D', std::string(200000, 'x'))}) {
    Asked asked(heard);
    EXPECT_TRUE(asked.wire.ended());
    EXPECT_EQ(asked.wire.count(Kind::done), 0U);
    EXPECT_FALSE(asked.query.error().empty());
  }
}

TEST(AccountQuery, AnErrorIsKeptForTheLog) {
  Asked asked(error("42501", "permission denied for table pg_authid") + ready());
  EXPECT_EQ(asked.wire.fault(), Fault::backend_unavailable);
  EXPECT_EQ(asked.query.error(), "42501: permission denied for table pg_authid");
  Asked fatal(error("57P01", "terminating", "FATAL"));
  EXPECT_EQ(fatal.wire.fault(), Fault::backend_lost);
}

TEST(AccountQuery, EveryCutIsTheSame) {
  const std::string heard = answer(account_row({"app", std::string(5000, 'v'), "60"}));
  for (std::size_t cut = 0; cut < heard.size(); cut += cut < 60 ? 1 : 97) {
    Asked asked(heard.substr(0, cut));
    asked.wire.feed(Party::backend, heard.substr(cut));
    EXPECT_EQ(asked.wire.breach(), "");
    EXPECT_EQ(asked.query.take_account()->verifier.size(), 5000U) << cut;
  }
}

}  // namespace
}  // namespace weirpool::test::pg
