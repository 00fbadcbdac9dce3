#include "protocol/postgres/md5.hpp"

#include "protocol/postgres/crypto.hpp"

namespace weirpool::protocol::postgres {

bool is_md5_verifier(std::string_view text) {
  return text.size() == 35 && text.starts_with("md5") &&
         text.find_first_not_of("0123456789abcdef", 3) == text.npos;
}

std::string md5_verifier(std::string_view user, std::string_view password) {
  return "md5" + md5_hex(std::string(password) + std::string(user));
}

std::string md5_response(std::string_view verifier, Bytes salt) {
  std::string text(verifier.substr(3));
  text += text_of(salt);
  return "md5" + md5_hex(text);
}

}  // namespace weirpool::protocol::postgres
