#include "protocol/proxy_header.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/reader.hpp"

namespace weirpool::protocol {
namespace {

using Outcome = ProxyHeader::Outcome;

constexpr std::string_view kTextStart = "PROXY ";
constexpr std::size_t kMaxTextHeader = 107;  // with its end of line
constexpr std::string_view kBinaryStart("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kBinaryHead = 16;  // signature, version and command, family, length

ProxyHeader outcome(Outcome outcome, std::size_t size = 0) {
  ProxyHeader header;
  header.outcome = outcome;
  header.size = size;
  return header;
}

ProxyHeader malformed() { return outcome(Outcome::malformed); }

/// The shorter of the two begins the other.
bool agrees(std::string_view text, std::string_view start) {
  const std::size_t size = std::min(text.size(), start.size());
  return text.substr(0, size) == start.substr(0, size);
}

void set_v4(ProxyHeader& header, Bytes four) {
  header.address = {};
  header.address[10] = header.address[11] = 0xFF;
  std::copy_n(four.begin(), 4, header.address.begin() + 12);
}

/// Up to the next space, which is consumed; the last word has none behind it.
std::string_view word(std::string_view& rest) {
  const std::size_t end = rest.find(' ');
  const std::string_view first = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return first;
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  const bool plain = text == "0" || !text.starts_with('0');
  return whole && plain ? std::optional(port) : std::nullopt;
}

bool set_address(ProxyHeader& header, bool v4, std::string_view text) {
  const std::string copy(text);
  std::array<std::uint8_t, 16> bytes{};
  if (copy.find('\0') != std::string::npos) return false;
  if (::inet_pton(v4 ? AF_INET : AF_INET6, copy.c_str(), bytes.data()) != 1) return false;
  if (v4) {
    set_v4(header, Bytes(bytes).first(4));
  } else {
    header.address = bytes;
  }
  return true;
}

/// "PROXY TCP4 192.0.2.1 192.0.2.9 50000 6432\r\n", or "PROXY UNKNOWN" and anything.
ProxyHeader parse_text(std::string_view text) {
  const std::string_view visible = text.substr(0, kMaxTextHeader);
  const std::size_t end = visible.find("\r\n");
  if (end == std::string_view::npos) {
    return visible.size() == kMaxTextHeader ? malformed() : ProxyHeader{};
  }
  ProxyHeader header = outcome(Outcome::complete, end + 2);
  std::string_view rest = visible.substr(kTextStart.size(), end - kTextStart.size());
  const std::string_view family = word(rest);
  if (family == "UNKNOWN") return header;
  const bool v4 = family == "TCP4";
  if (!v4 && family != "TCP6") return malformed();
  const std::string_view source = word(rest);
  const std::string_view destination = word(rest);
  const auto source_port = port_of(word(rest));
  const auto destination_port = port_of(rest);
  ProxyHeader unused;
  if (!set_address(unused, v4, destination) || !set_address(header, v4, source) || !source_port ||
      !destination_port) {
    return malformed();
  }
  header.proxied = true;
  header.port = *source_port;
  return header;
}

/// signature | byte version (high half: 2) and command | byte family and transport | int16 length |
/// addresses, ports, and what follows them within `length`.
ProxyHeader parse_binary(Bytes unread) {
  if (unread.size() < kBinaryHead) return {};
  Reader reader(unread.subspan(kBinaryStart.size()));
  const std::uint8_t command = reader.u8();
  const std::uint8_t family = reader.u8();
  const std::size_t length = reader.be16();
  constexpr std::uint8_t kLocal = 0x20;
  constexpr std::uint8_t kProxy = 0x21;
  if ((command != kLocal && command != kProxy) || kBinaryHead + length > kMaxProxyHeader) {
    return malformed();
  }
  if (unread.size() < kBinaryHead + length) return {};
  ProxyHeader header = outcome(Outcome::complete, kBinaryHead + length);
  constexpr std::uint8_t kTcp4 = 0x11;
  constexpr std::uint8_t kTcp6 = 0x21;
  if (command == kLocal || (family != kTcp4 && family != kTcp6)) return header;
  const std::size_t size = family == kTcp4 ? 4 : 16;
  Reader addresses(unread.subspan(kBinaryHead, length));
  const Bytes source = addresses.take(size);
  addresses.skip(size);
  header.port = addresses.be16();
  addresses.skip(sizeof header.port);
  if (!addresses.ok()) return malformed();
  header.proxied = true;
  if (family == kTcp4) {
    set_v4(header, source);
  } else {
    std::copy_n(source.begin(), size, header.address.begin());
  }
  return header;
}

}  // namespace

ProxyHeader ProxyHeader::parse(Bytes unread) {
  const std::string_view text = text_of(unread);
  if (unread.empty()) return {};
  if (agrees(text, kTextStart)) {
    return text.size() < kTextStart.size() ? ProxyHeader{} : parse_text(text);
  }
  if (!agrees(text, kBinaryStart)) return malformed();
  return parse_binary(unread);
}

}  // namespace weirpool::protocol
