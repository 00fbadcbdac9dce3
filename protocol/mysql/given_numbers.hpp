// The whole numbers that an INSERT brings along. The id in its reply is one that the server has
// made if the statement cannot have brought it; of one that was brought, LAST_INSERT_ID() knows
// nothing. Only texts of nothing but literals are understood; of all others nothing is known.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weirpool::protocol::mysql {

class GivenNumbers {
 public:
  /// Nothing is known.
  GivenNumbers() = default;
  /// Of `INSERT | REPLACE … [INTO] table [(columns)] VALUES (literals), …`, whole and nothing else.
  static GivenNumbers of(std::string_view sql);

  /// The statement may have brought this number; a trigger may always have.
  bool may_include(std::uint64_t number) const;

 private:
  class Reading;
  static constexpr std::size_t kMost = 32;

  bool known_ = false;
  std::size_t count_ = 0;
  std::array<std::uint64_t, kMost> numbers_{};
};

}  // namespace weirpool::protocol::mysql
