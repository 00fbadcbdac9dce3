#include "config/password.hpp"

#include <utility>

#include "config/limits.hpp"
#include "config/text_file.hpp"

namespace weirpool::config {

namespace {

void check(SecretFile& file) {
  if (file.text.ends_with("\r\n")) {
    file.text.resize(file.text.size() - 2);
  } else if (file.text.ends_with('\n')) {
    file.text.pop_back();
  }
  if (file.text.empty()) file.error = "is empty";
  if (file.text.find('\0') != std::string::npos) file.error = "holds a NUL byte";
}

}  // namespace

SecretFile read_secret_file(const std::string& path) {
  TextFile whole = read_text_file(path, kMaxSecretBytes);
  SecretFile file;
  file.text = std::move(whole.text);
  file.error = std::move(whole.error);
  file.readable_by_all = whole.readable_by_all;
  if (file.error.empty()) check(file);
  if (!file.error.empty()) file.text.clear();
  return file;
}

std::string read_password(const PasswordSource& source) {
  if (source.file.empty()) return source.value.reveal();
  SecretFile file = read_secret_file(source.file);
  if (!file.error.empty()) return source.value.reveal();
  return std::move(file.text);
}

bool is_postgres_verifier(std::string_view text) {
  const bool md5 = text.size() == 35 && text.starts_with("md5") &&
                   text.find_first_not_of("0123456789abcdef", 3) == text.npos;
  return md5 || text.starts_with("SCRAM-SHA-256$");
}

bool is_mysql_verifier(std::string_view text) {
  constexpr std::size_t kNative = 41;  // an asterisk and a SHA-1
  constexpr std::size_t kSha2 = 70;    // "$A$005$", a salt of 20 bytes, 43 characters of hash
  const auto is_hex = [&](std::string_view digits) {
    return digits.find_first_not_of("0123456789abcdefABCDEF") == digits.npos;
  };
  const bool native = text.size() >= kNative && text.starts_with('*') &&
                      is_hex(text.substr(1, kNative - 1)) &&
                      (text.size() == kNative || text[kNative] == '$');
  const bool sha2 = text.size() == kSha2 && text.starts_with("$A$");
  const bool sha2_in_hex =
      text.size() == 2 + 2 * kSha2 && text.starts_with("0x244124") && is_hex(text.substr(2));
  return native || sha2 || sha2_in_hex;
}

std::vector<std::string> read_passwords(const User& user) {
  std::vector<std::string> passwords;
  std::string newest = read_password(user.password);
  // An empty one can only be meant so; a file that says nothing is being written.
  const bool meant = user.password.file.empty();
  if (meant || !newest.empty()) passwords.push_back(std::move(newest));
  if (user.old_password) {
    std::string old = read_password(*user.old_password);
    const bool fresh = passwords.empty() || passwords.front() != old;
    if (!old.empty() && fresh) passwords.push_back(std::move(old));
  }
  return passwords;
}

}  // namespace weirpool::config
