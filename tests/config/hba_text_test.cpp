#include "config/hba_text.hpp"

#include <gtest/gtest.h>

namespace weirpool::config {
namespace {

/// Fields in [brackets], words of a list separated by |, quoted ones marked by a ".
std::string shown(std::string_view text) {
  std::vector<LineProblem> problems;
  std::string out;
  for (const HbaLine& line : split_hba(text, problems)) {
    out += std::to_string(line.number);
    for (const auto& field : line.fields) {
      out += '[';
      for (const HbaWord& word : field) {
        out += (&word == &field.front() ? "" : "|") + std::string(word.quoted ? "\"" : "");
        out += word.text;
      }
      out += ']';
    }
    out += ' ';
  }
  for (const LineProblem& problem : problems) out += "!" + std::to_string(problem.line);
  return out;
}

TEST(HbaText, FieldsAndComments) {
  EXPECT_EQ(shown(""), "");
  EXPECT_EQ(shown("# all of it\n\n  host\tall all # the rest\n"), "3[host][all][all] ");
  EXPECT_EQ(shown("a b\r\nc"), "1[a][b] 2[c] ");
}

TEST(HbaText, ListsMayHaveBlanksBehindTheirCommas) {
  EXPECT_EQ(shown("a,b c"), "1[a|b][c] ");
  EXPECT_EQ(shown("a, b,c d"), "1[a|b|c][d] ");
}

TEST(HbaText, QuotesMakeOneWord) {
  EXPECT_EQ(shown("\"a b\" \"all\""), "1[\"a b][\"all] ");
  EXPECT_EQ(shown("\"a\"\"b#c,d\""), "1[\"a\"b#c,d] ");
  EXPECT_EQ(shown("x \"open\ny"), "1[x][\"open] 2[y] !1");
}

TEST(HbaText, ABackslashJoinsLines) {
  EXPECT_EQ(shown("a \\\nb\nc"), "1[a][b] 3[c] ");
  EXPECT_EQ(shown("a\\b"), "1[a\\b] ");
}

}  // namespace
}  // namespace weirpool::config
