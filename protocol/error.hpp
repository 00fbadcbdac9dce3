// Why bytes could not be understood. Errors are values on the data path: see README, "Rules".
#pragma once

#include <boost/system/error_code.hpp>
#include <type_traits>

namespace weirpool::protocol {

enum class WireError {
  truncated = 1,  ///< a field reaches past the end of its message
  trailing,       ///< bytes are left after the last field
  malformed,      ///< a field has a value the protocol does not allow
  too_long,       ///< a length exceeds the limit of this phase
};

const boost::system::error_category& wire_category() noexcept;

inline boost::system::error_code make_error_code(WireError error) noexcept {
  return {static_cast<int>(error), wire_category()};
}

}  // namespace weirpool::protocol

template <>
struct boost::system::is_error_code_enum<weirpool::protocol::WireError> : std::true_type {};
