#include <gtest/gtest.h>

#include <sstream>

#include "config/option_table.hpp"
#include "config_fixture.hpp"

namespace weirpool::config {
namespace {

TEST(Sample, IsTheFileInTheRepository) {
  EXPECT_EQ(slurp("config/weirpool.sample.yaml"), sample())
      << "run: weirpool config sample > config/weirpool.sample.yaml";
}

TEST(Sample, Loads) {
  ::setenv("APP_PASSWORD", "pw", 1);
  const Loaded loaded = load_text(sample(), "sample");
  EXPECT_TRUE(loaded.config) << describe(loaded.problems, loaded.source);
  EXPECT_TRUE(loaded.problems.empty());
}

TEST(Sample, ItsCommentedDefaultsAreValidAndComplete) {
  std::istringstream in(sample());
  std::string active;
  std::string line;
  std::size_t options_shown = 0;
  while (std::getline(in, line)) {
    const std::size_t hash = line.find('#');
    const bool option = hash != std::string::npos && line.find_first_not_of(' ') == hash &&
                        hash + 1 < line.size() && line[hash + 1] != ' ';
    if (option && !line.ends_with(':')) ++options_shown;
    // Examples of files and of the other ways to give a password are not defaults.
    if (option && line.find("_file") == std::string::npos &&
        line.find("password") == std::string::npos) {
      line.erase(hash, 1);
    }
    active += line + "\n";
  }
  ::setenv("APP_PASSWORD", "pw", 1);
  const Loaded all = load_text(active, "active");
  ASSERT_TRUE(all.config) << describe(all.problems, all.source);
  const Loaded plain = load_text(sample(), "sample");
  EXPECT_EQ(all.config->timeouts, plain.config->timeouts);
  EXPECT_EQ(all.config->limits, plain.config->limits);
  std::size_t with_default = 0;
  for (const Option& option : options()) {
    if (!option.holds_options() && !option.required && option.path != "users.*.password") {
      ++with_default;
    }
  }
  EXPECT_EQ(options_shown, with_default);
}

}  // namespace
}  // namespace weirpool::config
