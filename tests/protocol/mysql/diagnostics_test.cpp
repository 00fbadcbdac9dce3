#include "protocol/mysql/diagnostics.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/mysql/wire_text.hpp"

namespace weirpool::test::mysql {
namespace {

std::string diagnostic(unsigned sequence, std::string_view level, std::string_view code,
                       std::string_view message) {
  return packet(sequence, lenenc(level) + lenenc(code) + lenenc(message));
}
std::string head() { return count(1, 3) + definition(2) + definition(3) + definition(4); }
std::string three() {
  return head() + diagnostic(5, "Warning", "1292", "a") + diagnostic(6, "Error", "1064", "b") +
         diagnostic(7, "Note", "1051", "c") + end(8);
}
std::string said(std::string_view sql, bool binary = false, const std::string& of = three()) {
  const auto query = parse_diagnostics_query(sql);
  if (!query) return "not understood";
  const auto bytes = select_diagnostics(protocol::bytes_of(of), *query, binary);
  return {bytes.begin(), bytes.end()};
}

TEST(MysqlDiagnostics, RowsThatAreAskedFor) {
  const std::string error = head() + diagnostic(5, "Error", "1064", "b");
  EXPECT_EQ(said("SHOW WARNINGS"), three());
  EXPECT_EQ(said("show errors;"), error + end(6));
  EXPECT_EQ(said("show warnings limit 1, 1"), error + end(6));
  EXPECT_EQ(said("show warnings limit 1 offset 1 ;"), error + end(6));
  EXPECT_EQ(said("show warnings limit 1,9"), error + diagnostic(6, "Note", "1051", "c") + end(7));
  EXPECT_EQ(said("show errors limit 1, 1"), head() + end(5));
  EXPECT_EQ(said("show warnings limit 0"), head() + end(5));
  EXPECT_EQ(said("show warnings limit 18446744073709551615"), three());
}

TEST(MysqlDiagnostics, FormsThatAreNotUnderstood) {
  for (const char* sql : {"show", "show warnings limit", "show warnings limit x", "show errors 1",
                          "show warnings limit 1,", "show warnings limit -1", "show tables",
                          "show warnings limit 1, 1 offset 1", "show warnings; select 1",
                          "show count(*) warnings", "show warnings limit 18446744073709551616"}) {
    EXPECT_EQ(said(sql), "not understood") << sql;
  }
}

TEST(MysqlDiagnostics, TheAnswerToAnExecuteIsBinary) {
  EXPECT_EQ(said("show errors", true),
            head() +
                packet(5, std::string("\0\0", 2) + lenenc("Error") + std::string("\x28\4\0\0", 4) +
                              lenenc("b")) +
                end(6));
}

TEST(MysqlDiagnostics, WithoutDefinitionsRowsFollowTheCount) {
  const std::string bare = packet(1, std::string("\3\0", 2));
  EXPECT_EQ(said("show errors", false, bare + diagnostic(2, "Error", "1", "b") + end(3)),
            bare + diagnostic(2, "Error", "1", "b") + end(3));
}

TEST(MysqlDiagnostics, OfOneErrorAsAServerSaysIt) {
  const auto made = [](std::uint64_t capabilities) {
    const auto bytes = diagnostics_of({1049, "why", capabilities, 45, 2});
    return std::string(bytes.begin(), bytes.end());
  };
  const std::string level("\3def\0\0\0\5Level\0\x0C-\0\x1C\0\0\0\xFD\1\0\x1F\0\0", 27);
  const std::string code("\3def\0\0\0\4Code\0\x0C?\0\5\0\0\0\3\xA1\0\0\0\0", 26);
  const std::string message("\3def\0\0\0\7Message\0\x0C-\0\0\x08\0\0\xFD\1\0\x1F\0\0", 29);
  EXPECT_EQ(made(cap::deprecate_eof), count(1, 3) + packet(2, level) + packet(3, code) +
                                          packet(4, message) +
                                          diagnostic(5, "Error", "1049", "why") + end(6));
  EXPECT_TRUE(made(cap::optional_metadata).starts_with(packet(1, "\3\1")));
  EXPECT_NE(made(cap::extended_metadata).find(packet(2, std::string(level).insert(13, 1, '\0'))),
            std::string::npos);
  EXPECT_EQ(said("show errors", false, made(cap::deprecate_eof)), made(cap::deprecate_eof));
}

}  // namespace
}  // namespace weirpool::test::mysql
