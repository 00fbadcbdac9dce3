#include "protocol/postgres/role_probe.hpp"

#include "protocol/reader.hpp"

namespace weirpool::protocol::postgres {

/// 'D' | int16 2 | int32 1, "t" or "f" | int32 length, "on" or "off".
void RoleProbe::Question::row(Bytes payload) {
  Reader reader(payload);
  if (reader.be16() != 2) return;
  const std::string_view recovery = text_of(reader.take(reader.be32()));
  const std::string_view read_only = text_of(reader.take(reader.be32()));
  answered_ = reader.ok() && (recovery == "t" || recovery == "f");
  owner_.role_ = {recovery == "t", read_only == "on"};
}

}  // namespace weirpool::protocol::postgres
