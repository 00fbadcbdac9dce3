#include "config/suggest.hpp"

#include <gtest/gtest.h>

namespace weirpool::config {
namespace {

TEST(Suggest, CountsEdits) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("limits", "limits"), 0U);
  EXPECT_EQ(edit_distance("limtis", "limits"), 1U);  // a swap is one edit
  EXPECT_EQ(edit_distance("adress", "address"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Suggest, NamesTheNearestOrListsAll) {
  const std::vector<std::string> known{"address", "protocol", "tls"};
  EXPECT_EQ(suggestion("adres", known), "; did you mean 'address'?");
  EXPECT_EQ(suggestion("colour", known), "; known here: address, protocol, tls");
  EXPECT_EQ(nearest("xy", {"tl"}), "");
}

}  // namespace
}  // namespace weirpool::config
