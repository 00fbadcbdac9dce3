// The md5 method: "md5" + hex(md5(hex(md5(password + user)) + salt)). Only for servers and
// verifiers that still need it. PostgreSQL documentation, 55.2.
#pragma once

#include <string>
#include <string_view>

#include "protocol/bytes.hpp"

namespace weirpool::protocol::postgres {

/// Is this "md5" and 32 lower-case hexadecimal digits, as pg_authid keeps it?
bool is_md5_verifier(std::string_view text);
/// What pg_authid keeps for this password.
std::string md5_verifier(std::string_view user, std::string_view password);
/// What answers AuthenticationMD5Password with this salt.
std::string md5_response(std::string_view verifier, Bytes salt);

}  // namespace weirpool::protocol::postgres
