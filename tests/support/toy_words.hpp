// The words of the toy protocol, for its engines only.
#pragma once

#include <charconv>
#include <string_view>

#include "protocol/engine.hpp"

namespace weirpool::test {

using protocol::Bytes;
using protocol::Fault;
using protocol::MutableBytes;
using protocol::Party;
using protocol::Verdict;

/// The first line of `unread` without its end; false: not all of it is there.
inline bool first_line(MutableBytes unread, std::string_view& line) {
  const std::string_view text = protocol::text_of(unread);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return false;
  line = text.substr(0, end);
  return true;
}

inline Verdict more(MutableBytes unread) {
  if (unread.size() >= protocol::kMaxNeed) return Verdict::close(Fault::message_too_large);
  return Verdict::need(unread.size() + 1);
}

inline std::string_view word(std::string_view& rest) {
  const std::size_t end = rest.find(' ');
  const std::string_view first = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return first;
}

inline std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

inline void write_toy_fault(Fault fault, protocol::Writer& out) {
  out.text("fault ");
  out.text(protocol::row_of(fault).label);
  out.text("\n");
}

}  // namespace weirpool::test
