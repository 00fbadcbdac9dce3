#include "protocol/mysql/role_probe.hpp"

#include "protocol/mysql/commands.hpp"
#include "protocol/mysql/exchange.hpp"
#include "protocol/reader.hpp"

namespace weirpool::protocol::mysql {
namespace {

constexpr unsigned kColumns = 2;

}  // namespace

ServerRoleProbe::ServerRoleProbe() : packet_(kMaxReply) {
  write_command(command_, com::query, "SELECT @@global.read_only, @@global.innodb_read_only");
}

Verdict ServerRoleProbe::step(Party from, MutableBytes unread) {
  if (phase_ == Phase::send) {
    phase_ = Phase::count;
    return Verdict::send(Party::backend, command_.view());
  }
  if (phase_ == Phase::finished) return Verdict::done();
  if (from == Party::client) return Verdict::hold();
  const PacketCollector::Step step = packet_.feed(unread);
  switch (step.outcome) {
    case PacketCollector::Outcome::need: return Verdict::need(step.count);
    case PacketCollector::Outcome::piece: return Verdict::skip(step.count);
    case PacketCollector::Outcome::too_long: return Verdict::close(Fault::backend_violation);
    case PacketCollector::Outcome::whole: break;
  }
  if (!accept(packet_.payload())) return Verdict::close(Fault::backend_lost);
  packet_.release();
  return Verdict::skip(step.count);
}

/// False: not what was asked for, an ERR packet among others.
bool ServerRoleProbe::accept(Bytes payload) {
  switch (phase_) {
    case Phase::count:
      phase_ = Phase::definitions;
      return payload.size() == 1 && payload[0] == kColumns;
    case Phase::definitions:
      if (++definitions_ == kColumns) phase_ = Phase::row;
      return !payload.empty() && payload[0] != 0xFF;
    case Phase::row: {
      Reader reader(payload);
      const std::string_view read_only = reader.lenenc_text();
      const std::string_view innodb = reader.lenenc_text();
      role_.read_only = read_only != "0" || innodb != "0";
      role_.standby = role_.read_only;
      phase_ = Phase::end;
      return !reader.finish();
    }
    case Phase::end: phase_ = Phase::finished; return !payload.empty() && payload[0] == 0xFE;
    default: return false;
  }
}

}  // namespace weirpool::protocol::mysql
