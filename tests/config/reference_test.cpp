#include <gtest/gtest.h>

#include "config/option_table.hpp"
#include "config_fixture.hpp"

namespace weirpool::config {
namespace {

TEST(Reference, IsTheFileInTheRepository) {
  EXPECT_EQ(slurp("config/REFERENCE.md"), reference())
      << "run: weirpool config reference > config/REFERENCE.md";
}

TEST(Reference, NamesEveryOption) {
  const std::string text = reference();
  for (const Option& option : options()) {
    if (option.holds_options()) continue;
    EXPECT_NE(text.find("| `" + std::string(option.name()) + "` | "), std::string::npos)
        << option.path;
  }
}

}  // namespace
}  // namespace weirpool::config
