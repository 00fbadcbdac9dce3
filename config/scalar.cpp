#include "config/scalar.hpp"

#include <array>

namespace weirpool::config {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array<Unit, 5> kUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
/// Longer numbers are mistakes, and this many digits cannot overflow even in days.
constexpr std::size_t kMaxDurationDigits = 9;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t digits_of(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  return count;
}

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

Parsed<Duration> bad_duration(std::string_view text) {
  return {{}, quoted(text) + " is not a duration; write for example 250ms, 30s, 10m or 1m30s"};
}

/// The index in kUnits of the letters at the front of `text`, or kUnits.size().
std::size_t unit_of(std::string_view text) {
  std::size_t letters = 0;
  while (letters < text.size() && !is_digit(text[letters])) ++letters;
  std::size_t unit = 0;
  while (unit < kUnits.size() && kUnits[unit].name != text.substr(0, letters)) ++unit;
  return unit;
}

}  // namespace

Parsed<std::uint64_t> parse_integer(std::string_view text) {
  const std::size_t digits = digits_of(text);
  if (digits == 0 || digits != text.size()) {
    return {{}, quoted(text) + " is not a whole number (decimal digits only)"};
  }
  if (digits > 1 && text[0] == '0') {
    return {{}, quoted(text) + " has a leading zero; numbers are decimal, write it without"};
  }
  if (digits > 18) return {{}, quoted(text) + " is too large"};
  std::uint64_t value = 0;
  for (const char c : text) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  return {value, {}};
}

Parsed<Duration> parse_duration(std::string_view text) {
  if (text == "0" || text == "off") return {Duration{0}, {}};
  if (!text.empty() && digits_of(text) == text.size()) {
    const std::string bare(text);
    return {{},
            quoted(text) + " has no unit; write " + bare + "s (or " + bare + "ms, " + bare + "m, " +
                bare + "h)"};
  }
  std::int64_t total = 0;
  std::size_t largest_allowed = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t digits = digits_of(rest);
    if (digits == 0 || digits > kMaxDurationDigits) return bad_duration(text);
    std::int64_t count = 0;
    for (const char c : rest.substr(0, digits)) count = count * 10 + (c - '0');
    rest.remove_prefix(digits);
    const std::size_t unit = unit_of(rest);
    if (unit >= kUnits.size() || unit < largest_allowed) return bad_duration(text);
    total += count * kUnits[unit].milliseconds;
    rest.remove_prefix(kUnits[unit].name.size());
    largest_allowed = unit + 1;
  }
  if (text.empty()) return bad_duration(text);
  return {Duration{total}, {}};
}

Parsed<bool> parse_boolean(std::string_view text) {
  if (text == "true") return {true, {}};
  if (text == "false") return {false, {}};
  return {{}, quoted(text) + " is not a boolean; write true or false"};
}

Parsed<Address> parse_address(std::string_view text) {
  const auto bad = [&](const std::string& why) { return Parsed<Address>{{}, quoted(text) + why}; };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || (text.starts_with('[') && text.ends_with(']'))) {
    return bad(" has no port; write host:port");
  }
  std::string_view host = text.substr(0, colon);
  if (host.empty()) return bad(" has no host; write 0.0.0.0" + std::string(text) + " for all");
  if (host.starts_with('[') && host.ends_with(']') && host.size() > 2) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return bad(" is not an address; write an IPv6 host in brackets: [::1]:6432");
  }
  for (const char c : host) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '/' || c == '@' || c == '\x7f') {
      return bad(" is not an address; write host:port");
    }
  }
  const Parsed<std::uint64_t> port = parse_integer(text.substr(colon + 1));
  if (!port.value || *port.value == 0 || *port.value > 65535) {
    return bad(": the port must be a number from 1 to 65535");
  }
  return {Address{std::string(host), static_cast<std::uint16_t>(*port.value)}, {}};
}

std::string format_duration(Duration duration) {
  std::string text;
  std::int64_t rest = duration.count();
  for (const Unit& unit : kUnits) {
    if (rest < unit.milliseconds) continue;
    text += std::to_string(rest / unit.milliseconds);
    text += unit.name;
    rest %= unit.milliseconds;
  }
  return text.empty() ? "0" : text;
}

std::string format_address(const Address& address) {
  if (address.port == 0) return "off";
  const bool bracket = address.host.find(':') != std::string::npos;
  return (bracket ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace weirpool::config
