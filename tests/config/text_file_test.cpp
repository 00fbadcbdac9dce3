#include "config/text_file.hpp"

#include <gtest/gtest.h>

#include "tests/config/config_fixture.hpp"

namespace weirpool::config {
namespace {

TEST(TextFile, ReadsAllOfItWithinTheBound) {
  const TempFile file("twelve bytes");
  EXPECT_EQ(read_text_file(file.path(), 12).text, "twelve bytes");
  EXPECT_FALSE(read_text_file(file.path(), 12).readable_by_all);
  const TextFile cut = read_text_file(file.path(), 11);
  EXPECT_EQ(cut.text, "");
  EXPECT_NE(cut.error.find("is larger than"), std::string::npos);
}

TEST(TextFile, SaysWhyItCannotRead) {
  EXPECT_EQ(read_text_file("/nowhere/at/all", 10).error, "No such file or directory");
  EXPECT_EQ(read_text_file("/tmp", 10).error, "is not a regular file");
}

TEST(TextFile, NoticesAnOpenMode) {
  const TempFile file("x", 0644);
  EXPECT_TRUE(read_text_file(file.path(), 10).readable_by_all);
}

}  // namespace
}  // namespace weirpool::config
