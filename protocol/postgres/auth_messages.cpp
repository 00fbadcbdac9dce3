#include "protocol/postgres/auth_messages.hpp"

#include "protocol/postgres/frame.hpp"
#include "protocol/reader.hpp"

namespace weirpool::protocol::postgres {

Result<Authentication> Authentication::parse(Bytes payload) {
  Reader in(payload);
  Authentication message;
  message.kind = static_cast<AuthKind>(in.be32());
  switch (message.kind) {
    case AuthKind::ok:
    case AuthKind::cleartext: break;
    case AuthKind::md5: message.data = in.take(4); break;
    case AuthKind::sasl:
      while (in.ok()) {
        const std::string_view mechanism = in.cstr();
        if (mechanism.empty()) break;
        message.mechanisms.push_back(mechanism);
      }
      break;
    case AuthKind::sasl_continue:
    case AuthKind::sasl_final:
    default: message.data = in.rest(); break;
  }
  if (const auto error = in.finish()) return error;
  return message;
}

void write_auth_ok(Writer& out) {
  const Framed frame(out, 'R');
  out.be32(static_cast<std::uint32_t>(AuthKind::ok));
}

void write_auth_md5(const std::array<std::uint8_t, 4>& salt, Writer& out) {
  const Framed frame(out, 'R');
  out.be32(static_cast<std::uint32_t>(AuthKind::md5));
  out.bytes(salt);
}

void write_auth_cleartext(Writer& out) {
  const Framed frame(out, 'R');
  out.be32(static_cast<std::uint32_t>(AuthKind::cleartext));
}

void write_auth_sasl(bool plus, Writer& out) {
  const Framed frame(out, 'R');
  out.be32(static_cast<std::uint32_t>(AuthKind::sasl));
  if (plus) out.cstr(kScramPlusMechanism);
  out.cstr(kScramMechanism);
  out.u8(0);
}

void write_auth_sasl_data(AuthKind kind, std::string_view data, Writer& out) {
  const Framed frame(out, 'R');
  out.be32(static_cast<std::uint32_t>(kind));
  out.text(data);
}

Result<PasswordMessage> PasswordMessage::parse(Bytes payload) {
  Reader in(payload);
  const PasswordMessage message{in.cstr()};
  if (const auto error = in.finish()) return error;
  return message;
}

void PasswordMessage::serialize(Writer& out) const {
  const Framed frame(out, 'p');
  out.cstr(password);
}

Result<SaslInitialResponse> SaslInitialResponse::parse(Bytes payload) {
  Reader in(payload);
  SaslInitialResponse message;
  message.mechanism = in.cstr();
  const std::uint32_t length = in.be32();
  if (length != 0xFFFFFFFF) message.data = text_of(in.take(length));
  if (const auto error = in.finish()) return error;
  return message;
}

void SaslInitialResponse::serialize(Writer& out) const {
  const Framed frame(out, 'p');
  out.cstr(mechanism);
  out.be32(static_cast<std::uint32_t>(data.size()));
  out.text(data);
}

void write_sasl_response(std::string_view data, Writer& out) {
  const Framed frame(out, 'p');
  out.text(data);
}

Result<BackendKeyData> BackendKeyData::parse(Bytes payload) {
  Reader in(payload);
  BackendKeyData message;
  message.process_id = in.be32();
  message.key = in.rest();
  if (in.ok() && (message.key.size() < 4 || message.key.size() > 256))
    in.fail(WireError::malformed);
  if (const auto error = in.finish()) return error;
  return message;
}

void BackendKeyData::serialize(Writer& out) const {
  const Framed frame(out, 'K');
  out.be32(process_id);
  out.bytes(key);
}

}  // namespace weirpool::protocol::postgres
