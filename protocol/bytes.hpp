// Spans of wire bytes and the value-or-error type every parser returns.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weirpool::protocol {

/// Wire bytes somebody else owns; the function that hands them out says until when they are valid.
using Bytes = std::span<const std::uint8_t>;

/// Wire bytes an engine may rewrite in place before it forwards them (sequence ids, status flags).
using MutableBytes = std::span<std::uint8_t>;

template <class T>
using Result = boost::system::result<T>;

inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace weirpool::protocol
