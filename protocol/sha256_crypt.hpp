// SHA-256-crypt, the password hash that crypt(3) marks with "$5$". Takes milliseconds on purpose.
// Source: U. Drepper, "Unix crypt using SHA-256 and SHA-512", 2008.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/bytes.hpp"

namespace weirpool::protocol {

using CryptDigest = std::array<std::uint8_t, 32>;

/// The salt is taken whole, where crypt(3) cuts it after 16 bytes. Time grows with the square of
/// the password's length: the caller bounds it.
CryptDigest sha256_crypt(std::string_view password, Bytes salt, std::uint32_t rounds);

/// The digest as text has it: 43 characters of crypt(3)'s own base64. No value: it is none.
std::optional<CryptDigest> parse_crypt_digest(std::string_view text);

}  // namespace weirpool::protocol
