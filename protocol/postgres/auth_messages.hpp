// The messages of the authentication exchange. Payloads exclude tag and length.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "protocol/bytes.hpp"
#include "protocol/writer.hpp"

namespace weirpool::protocol::postgres {

enum class AuthKind : std::uint32_t {
  ok = 0,
  cleartext = 3,
  md5 = 5,
  sasl = 10,
  sasl_continue = 11,
  sasl_final = 12,
};

inline constexpr std::string_view kScramMechanism = "SCRAM-SHA-256";
inline constexpr std::string_view kScramPlusMechanism = "SCRAM-SHA-256-PLUS";

/// 'R' | int32 kind | rest by kind: md5: 4 bytes salt; sasl: cstring mechanism* and a zero byte;
/// sasl_continue and sasl_final: SASL data. Kinds weirpool does not know parse with `data` only.
struct Authentication {
  AuthKind kind = AuthKind::ok;
  std::vector<std::string_view> mechanisms;
  Bytes data;  ///< salt or SASL data; points into the payload

  static Result<Authentication> parse(Bytes payload);
};

void write_auth_ok(Writer& out);
void write_auth_md5(const std::array<std::uint8_t, 4>& salt, Writer& out);
void write_auth_cleartext(Writer& out);
/// `plus`: with channel binding too, which then comes first.
void write_auth_sasl(bool plus, Writer& out);
void write_auth_sasl_data(AuthKind kind, std::string_view data, Writer& out);

/// 'p' | cstring password.
struct PasswordMessage {
  std::string_view password;

  static Result<PasswordMessage> parse(Bytes payload);
  void serialize(Writer& out) const;
};

/// 'p' | cstring mechanism | int32 length of data or -1 | data.
struct SaslInitialResponse {
  std::string_view mechanism;
  std::string_view data;

  static Result<SaslInitialResponse> parse(Bytes payload);
  void serialize(Writer& out) const;
};

/// 'p' | SASL data to the end.
void write_sasl_response(std::string_view data, Writer& out);

/// 'K' | int32 process id | key, 4 to 256 bytes.
struct BackendKeyData {
  std::uint32_t process_id = 0;
  Bytes key;

  static Result<BackendKeyData> parse(Bytes payload);
  void serialize(Writer& out) const;
};

}  // namespace weirpool::protocol::postgres
