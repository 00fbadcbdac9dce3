// client_ed25519, MariaDB's plugin: the client signs the server's 32 random bytes with Ed25519
// (RFC 8032), except that the password, however long it is, stands in the place of the 32-byte
// private key. Source: MariaDB KB, "Authentication Plugin - ed25519".
#pragma once

#include <array>
#include <string_view>

#include "protocol/bytes.hpp"

namespace weirpool::protocol::mysql {

inline constexpr std::size_t kEd25519Challenge = 32;
using Ed25519Signature = std::array<std::uint8_t, 64>;

Ed25519Signature ed25519_sign(std::string_view password, Bytes challenge);

}  // namespace weirpool::protocol::mysql
