#include "protocol/postgres/startup_messages.hpp"

#include "protocol/postgres/frame.hpp"
#include "protocol/reader.hpp"

namespace weirpool::protocol::postgres {

std::uint32_t startup_code(Bytes packet) {
  Reader in(packet);
  in.be32();
  return in.be32();
}

Result<StartupMessage> StartupMessage::parse(Bytes packet) {
  Reader in(packet);
  StartupMessage message;
  if (in.be32() != packet.size()) in.fail(WireError::malformed);
  message.version = in.be32();
  while (in.ok()) {
    const std::string_view name = in.cstr();
    if (name.empty()) break;
    const std::string_view value = in.cstr();
    message.parameters.emplace_back(name, value);
  }
  if (const auto error = in.finish()) return error;
  return message;
}

void StartupMessage::serialize(Writer& out) const {
  const std::size_t at = out.size();
  out.be32(0);
  out.be32(version);
  for (const auto& [name, value] : parameters) {
    out.cstr(name);
    out.cstr(value);
  }
  out.u8(0);
  out.patch_be32(at, static_cast<std::uint32_t>(out.size() - at));
}

Result<CancelRequest> CancelRequest::parse(Bytes packet) {
  Reader in(packet);
  if (in.be32() != packet.size() || in.be32() != kCancelCode) in.fail(WireError::malformed);
  CancelRequest request{in.rest()};
  if (in.ok() && (request.id_and_key.size() < 8 || request.id_and_key.size() > 4 + 256)) {
    in.fail(WireError::malformed);
  }
  if (const auto error = in.finish()) return error;
  return request;
}

void CancelRequest::serialize(std::uint32_t process_id, Bytes key, Writer& out) {
  out.be32(static_cast<std::uint32_t>(12 + key.size()));
  out.be32(kCancelCode);
  out.be32(process_id);
  out.bytes(key);
}

void write_ssl_request(Writer& out) {
  out.be32(8);
  out.be32(kSslCode);
}

Result<NegotiateProtocolVersion> NegotiateProtocolVersion::parse(Bytes payload) {
  Reader in(payload);
  NegotiateProtocolVersion message;
  message.version = in.be32();
  const std::uint32_t count = in.be32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) message.unknown_options.push_back(in.cstr());
  if (const auto error = in.finish()) return error;
  return message;
}

void NegotiateProtocolVersion::serialize(Writer& out) const {
  const Framed frame(out, 'v');
  out.be32(version);
  out.be32(static_cast<std::uint32_t>(unknown_options.size()));
  for (const std::string_view option : unknown_options) out.cstr(option);
}

}  // namespace weirpool::protocol::postgres
