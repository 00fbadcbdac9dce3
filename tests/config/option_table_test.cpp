#include "config/option_table.hpp"

#include <gtest/gtest.h>

#include <set>

namespace weirpool::config {
namespace {

TEST(OptionTable, RowsAreUniqueAndTheirGroupsComeFirst) {
  std::set<std::string_view> seen{""};
  for (const Option& option : options()) {
    EXPECT_TRUE(seen.contains(option.parent())) << option.path;
    EXPECT_TRUE(seen.insert(option.path).second) << option.path;
    EXPECT_TRUE(option.sentence.ends_with('.')) << option.path;
    EXPECT_EQ(option.sentence.find('|'), std::string_view::npos) << "breaks the Markdown table";
    ASSERT_NE(option.field, nullptr) << option.path;
    const bool shown =
        option.holds_options() || !option.fallback.empty() || !option.example.empty();
    EXPECT_TRUE(shown) << option.path << " has nothing to show in the sample";
  }
}

TEST(OptionTable, EveryDefaultPassesItsOwnValidation) {
  Config config;
  config.backends["b"];
  config.listeners.resize(1);
  int checked = 0;
  walk(config, [&](const Place& place) {
    const Option& option = place.option;
    if (option.fallback.empty() || option.type == Type::automatic) return;
    const Field field = option.field(place.scope);
    EXPECT_EQ(assign(option, std::string(option.fallback), field), "") << option.path;
    EXPECT_EQ(text_of(option, field), option.fallback) << option.path;
    ++checked;
  });
  EXPECT_GE(checked, 35);
}

TEST(OptionTable, ChildrenAndNames) {
  EXPECT_EQ(find_option("backends.*.tls.mode")->parent(), "backends.*.tls");
  EXPECT_EQ(find_option("backends.*.tls.mode")->name(), "mode");
  EXPECT_EQ(find_option("nothing"), nullptr);
  EXPECT_EQ(children_of("drain").size(), 2U);
  EXPECT_EQ(split_choices("a|b"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(to_text(Reload::new_connections), "new-connections");
}

}  // namespace
}  // namespace weirpool::config
