// mysql_native_password: the client proves it knows SHA1(password) without showing it.
//   token = SHA1(password) XOR SHA1(scramble · SHA1(SHA1(password)))
// Source: dev.mysql.com, "Native Authentication".
#pragma once

#include <array>
#include <string_view>

#include "protocol/mysql/handshake_messages.hpp"

namespace weirpool::protocol::mysql {

using Sha1Digest = std::array<std::uint8_t, 20>;

/// SHA1(SHA1(password)), what mysql.user stores.
Sha1Digest native_verifier(std::string_view password);

/// What a client answers. The caller sends nothing at all for an empty password.
Sha1Digest native_token(std::string_view password, const Scramble& scramble);

/// Constant time in everything but the token's length.
bool native_matches(const Sha1Digest& verifier, const Scramble& scramble, Bytes token);

}  // namespace weirpool::protocol::mysql
