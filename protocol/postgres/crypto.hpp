// OpenSSL's primitives with the types of this program. Nothing here is our own cryptography.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/bytes.hpp"

namespace weirpool::protocol::postgres {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(Bytes data);
Digest hmac_sha256(Bytes key, std::string_view data);
/// PBKDF2-HMAC-SHA-256 (RFC 8018). Milliseconds: not on an I/O thread.
Digest pbkdf2_sha256(std::string_view password, Bytes salt, std::uint32_t iterations);
/// Lower-case hexadecimal, 32 characters.
std::string md5_hex(std::string_view data);

std::string base64(Bytes data);
/// No value: not canonical base64.
std::optional<std::vector<std::uint8_t>> unbase64(std::string_view text);

/// Takes the same time wherever the difference is.
bool equal_constant_time(Bytes a, Bytes b);
/// Cryptographically random; ends the process if the system has no randomness left to give.
void fill_random(MutableBytes out);
/// Overwrites a secret before its memory goes.
void wipe(std::string& secret);
/// SASLprep (RFC 4013); text it prohibits or that is not UTF-8 is used as it is, as libpq does.
std::string saslprep(std::string_view password);

}  // namespace weirpool::protocol::postgres
