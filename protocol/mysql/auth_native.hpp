// mysql_native_password: the client proves it knows SHA1(password) without showing it.
//   key = SHA1(password), verifier = SHA1(key), token = key XOR SHA1(scramble · verifier)
// Source: dev.mysql.com, "Native Authentication".
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "protocol/mysql/handshake_messages.hpp"

namespace weirpool::protocol::mysql {

using Sha1Digest = std::array<std::uint8_t, 20>;

/// Who knows it can log in without the password. Secret.
Sha1Digest native_key(std::string_view password);
/// What mysql.user stores.
Sha1Digest native_verifier(const Sha1Digest& key);

/// What a client answers. The caller sends nothing at all for an empty password.
Sha1Digest native_token(const Sha1Digest& key, const Scramble& scramble);

/// The key that `token` proves, if it is the one that belongs to the verifier. Constant time in
/// everything but the token's length.
std::optional<Sha1Digest> native_proof(const Sha1Digest& verifier, const Scramble& scramble,
                                       Bytes token);

}  // namespace weirpool::protocol::mysql
