#include "protocol/mysql/exchange.hpp"

namespace weirpool::protocol::mysql {

Verdict Exchange::step(Party from, MutableBytes unread) {
  if (phase_ == Phase::send) {
    phase_ = Phase::replies;
    return Verdict::send(Party::backend, commands_.view());
  }
  if (phase_ == Phase::finished) return Verdict::done();
  if (from == Party::client) return Verdict::hold();
  const PacketCollector::Step step = reply_.feed(unread);
  switch (step.outcome) {
    case PacketCollector::Outcome::need: return Verdict::need(step.count);
    case PacketCollector::Outcome::piece: return Verdict::skip(step.count);
    case PacketCollector::Outcome::too_long: return Verdict::close(Fault::backend_violation);
    case PacketCollector::Outcome::whole: break;
  }
  if (reply_.sequence() != 1) return Verdict::close(Fault::backend_violation);
  if (!accept(reply_.payload())) return Verdict::close(Fault::backend_lost);
  reply_.release();
  --replies_;
  if (replies_ == 0) phase_ = Phase::finished;
  return Verdict::skip(step.count);
}

bool Exchange::accept(Bytes payload) {
  const Result<OkPacket> ok = OkPacket::parse(payload);
  if (!ok) {
    const Result<ErrPacket> err = ErrPacket::parse(payload);
    error_ = err ? err->describe() : "reply is neither OK nor ERR";
    return false;
  }
  state_->status = ok->status;
  ChangeReader changes(ok->changes);
  SessionChange change;
  while (changes.next(change)) {
    if (tracking_ && change.type == ChangeType::variable) {
      track_variable(state_->session, change.name, change.value);
    }
  }
  if (!changes.ok()) error_ = "session changes are malformed";
  return changes.ok();
}

}  // namespace weirpool::protocol::mysql
