#include "config/tree.hpp"

#include <gtest/gtest.h>

namespace weirpool::config {
namespace {

std::string problem_of(std::string_view yaml) {
  Problems problems("f");
  parse_tree(yaml, problems);
  const std::vector<Problem> list = problems.take();
  if (list.empty()) return "";
  return std::to_string(list[0].line) + ":" + std::to_string(list[0].column) + " " + list[0].path +
         " " + list[0].message;
}

TEST(Tree, KeepsOrderTextAndPositions) {
  Problems problems("f");
  const auto root = parse_tree("b: 010\na:\n  - 'x'\n  - ~\n", problems);
  ASSERT_TRUE(root);
  ASSERT_EQ(root->entries.size(), 2U);
  EXPECT_EQ(root->entries[0].value.text, "010");
  EXPECT_EQ(root->entries[1].mark.line, 2);
  const Node& list = root->entries[1].value;
  ASSERT_EQ(list.items.size(), 2U);
  EXPECT_EQ(list.items[0].text, "x");
  EXPECT_EQ(list.items[0].mark.line, 3);
  EXPECT_EQ(list.items[0].mark.column, 5);
  EXPECT_EQ(list.items[1].kind, Node::Kind::null);
}

TEST(Tree, AnAliasStandsWhereItIsUsed) {
  Problems problems("f");
  const auto root = parse_tree("a: &x {k: v}\nb: *x\n", problems);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->entries[1].value.mark.line, 2);
  EXPECT_EQ(root->entries[1].value.entries[0].value.text, "v");
}

TEST(Tree, RefusesWhatYamlCppLetsPass) {
  EXPECT_EQ(problem_of("a: 1\nb:\n  c: 1\n  c: 2\n"),
            "4:3 b duplicate key 'c', first at line 3, column 3");
  EXPECT_EQ(problem_of("a: &x {k: v}\nb:\n  <<: *x\n"),
            "3:3 b merge keys (<<) are not supported; write it out");
  EXPECT_NE(problem_of("a: 1\n---\nb: 2\n").find("second document"), std::string::npos);
  EXPECT_NE(problem_of("").find("file is empty"), std::string::npos);
  EXPECT_NE(problem_of("# only a comment\n").find("file is empty"), std::string::npos);
  EXPECT_NE(problem_of("a: !!binary aGk=").find("tags"), std::string::npos);
  EXPECT_NE(problem_of("? [a]\n: b").find("a key must be"), std::string::npos);
  EXPECT_NE(problem_of("a: &x [*x]").find("anchor"), std::string::npos);
}

TEST(Tree, RefusesWhatIsNoText) {
  EXPECT_EQ(problem_of("a: b\nc: \xFF\n"), "2:4  the file is not UTF-8 here");
  EXPECT_EQ(problem_of(std::string_view("a: \0", 4)), "1:4  the file holds a NUL byte");
  EXPECT_NE(problem_of(std::string((1U << 20U) + 1, ' ')).find("larger than 1 MiB"),
            std::string::npos);
}

TEST(Tree, SyntaxErrorsHaveAPlace) {
  EXPECT_EQ(problem_of("a:\n\tb: 1\n").substr(0, 2), "2:");
  EXPECT_NE(problem_of("a: [1\n").find("not YAML"), std::string::npos);
  EXPECT_NE(problem_of("a: b: c\n").find("not YAML"), std::string::npos);
  EXPECT_NE(problem_of(std::string(100'000, '[')), "");
}

TEST(Tree, AliasBombsAreStopped) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 9; ++j) bomb += before + ", ";
    bomb += before + "]\n";
  }
  EXPECT_NE(problem_of(bomb).find("too many"), std::string::npos);
  const std::string wide = "a: &a " + std::string(500'000, 'x') + "\nb: [*a, *a, *a, *a, *a, *a]\n";
  EXPECT_NE(problem_of(wide).find("too many"), std::string::npos);
}

}  // namespace
}  // namespace weirpool::config
