#include "protocol/glance.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weirpool::protocol {
namespace {

constexpr Glyphs kWords = glyphs(";@", "_", Glyph::digit);
constexpr Glyphs kNumbersToo = glyphs("", "_$", Glyph::letter);

std::vector<std::string> words(std::string_view text, const Glyphs& glyphs) {
  std::vector<std::string> all;
  EXPECT_TRUE(nothing_seen(
      text, glyphs, [](std::string_view, std::size_t) { return true; },
      [&](std::string_view word) {
        all.emplace_back(word);
        return true;
      }));
  return all;
}

TEST(GlanceTest, SeesEveryWordWhateverIsAroundIt) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(words("select a_1,'b c'--d\n;e", kWords), (Words{"select", "a_1", "b", "c", "d", "e"}));
  EXPECT_EQ(words("_x \xC3\xA4y", kWords), (Words{"_x", "\xC3\xA4y"}));
  EXPECT_EQ(words("", kWords), Words{});
}

TEST(GlanceTest, WhetherADigitBeginsAWordIsTheDialects) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(words("1a 23 b2", kWords), (Words{"a", "b2"}));
  EXPECT_EQ(words("1a 23 $b2", kNumbersToo), (Words{"1a", "23", "$b2"}));
}

TEST(GlanceTest, EndsAtTheFirstMarkOrWordThatIsNotHarmless) {
  std::vector<std::size_t> marks;
  const auto up_to = [&](std::size_t last, std::string_view loud) {
    marks.clear();
    return nothing_seen(
        "a;b@c", kWords,
        [&](std::string_view text, std::size_t at) {
          EXPECT_EQ(text, "a;b@c");
          marks.push_back(at);
          return at < last;
        },
        [&](std::string_view word) { return word != loud; });
  };
  EXPECT_TRUE(up_to(4, "d"));
  EXPECT_EQ(marks, (std::vector<std::size_t>{1, 3}));
  EXPECT_FALSE(up_to(3, "d"));
  EXPECT_FALSE(up_to(4, "b"));
  EXPECT_EQ(marks, (std::vector<std::size_t>{1}));
  EXPECT_FALSE(up_to(4, "c"));
}

}  // namespace
}  // namespace weirpool::protocol
