// Passwords at the moment they are needed. Files are read anew each time: cloud tokens live 15
// minutes and an orchestrator swaps mounted secrets without telling anyone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace weirpool::config {

/// The password now: the file's content without one trailing newline, or `value` if there is no
/// file or it cannot be read at this moment (a secret being swapped must not fail a login). Blocks
/// on the disk: call it off the I/O threads, for every new backend login. Thread-safe.
std::string read_password(const PasswordSource& source);

/// Every password valid now, the newest first, without duplicates. An empty one is the only one of
/// an account without a password.
std::vector<std::string> read_passwords(const User& user);

/// Not a password but what PostgreSQL stores in its place: "md5..." or "SCRAM-SHA-256$...".
bool is_postgres_verifier(std::string_view text);
/// Not a password but what MySQL or MariaDB stores in its place: "*..." or "$A$...", or the latter
/// as "0x2441...".
bool is_mysql_verifier(std::string_view text);
inline bool is_verifier(std::string_view text) {
  return is_postgres_verifier(text) || is_mysql_verifier(text);
}

struct SecretFile {
  std::string text;
  std::string error;             ///< empty: fine
  bool readable_by_all = false;  ///< anyone on this machine may read it
};

/// Content of a secret's file, at most kMaxSecretBytes, without one trailing newline (\n or \r\n).
/// NUL bytes and an empty file are errors.
SecretFile read_secret_file(const std::string& path);

}  // namespace weirpool::config
