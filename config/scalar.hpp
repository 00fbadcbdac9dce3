// Text <-> the scalar types of options. Strict on purpose: YAML's own idea of numbers and booleans
// (octal 010, yes, on) is not used.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace weirpool::config {

/// A value, or why there is none (a sentence without the path, without final stop).
template <class T>
struct Parsed {
  std::optional<T> value;
  std::string error;
};

/// Decimal digits only: no sign, no leading zero, no separators.
Parsed<std::uint64_t> parse_integer(std::string_view text);
/// 250ms, 30s, 10m, 1h, 1d or a run of them from large to small (1m30s); 0 and off disable. A bare
/// number is an error that says how to write it.
Parsed<Duration> parse_duration(std::string_view text);
/// true or false.
Parsed<bool> parse_boolean(std::string_view text);
/// host:port or [ipv6]:port, port 1..65535.
Parsed<Address> parse_address(std::string_view text);

/// The shortest text parse_duration() reads back: 0, 250ms, 1m30s.
std::string format_duration(Duration duration);
std::string format_address(const Address& address);

}  // namespace weirpool::config
