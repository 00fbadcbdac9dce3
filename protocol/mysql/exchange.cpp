#include "protocol/mysql/exchange.hpp"

namespace weirpool::protocol::mysql {

Verdict Exchange::step(Party from, MutableBytes unread) {
  if (phase_ == Phase::send) {
    phase_ = Phase::replies;
    return Verdict::send(Party::backend, commands_.view());
  }
  if (phase_ == Phase::finished) return Verdict::done();
  if (from == Party::client) return Verdict::hold();
  if (definitions_ > 0) return skip_definition(unread);
  const PacketCollector::Step step = reply_.feed(unread);
  switch (step.outcome) {
    case PacketCollector::Outcome::need: return Verdict::need(step.count);
    case PacketCollector::Outcome::piece: return Verdict::skip(step.count);
    case PacketCollector::Outcome::too_long: return Verdict::close(Fault::backend_violation);
    case PacketCollector::Outcome::whole: break;
  }
  if (reply_.sequence() != 1 && !state_->compressed)
    return Verdict::close(Fault::backend_violation);
  const bool is_prepare = received_ == prepare_at_;
  const bool taken = is_prepare ? accept_prepared(reply_.payload()) : accept(reply_.payload());
  if (!taken) return Verdict::close(Fault::backend_lost);
  reply_.release();
  ++received_;
  if (received_ == replies_ && definitions_ == 0) phase_ = Phase::finished;
  return Verdict::skip(step.count);
}

Verdict Exchange::skip_definition(Bytes unread) {
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const FrameHeader header = header_of(unread);
  if (header.length == kMaxPayload) return Verdict::close(Fault::backend_violation);
  --definitions_;
  if (received_ == replies_ && definitions_ == 0) phase_ = Phase::finished;
  return Verdict::skip(kHeaderSize + header.length);
}

bool Exchange::accept_prepared(Bytes payload) {
  const Result<PrepareOk> ok = PrepareOk::parse(payload);
  if (!ok) return accept_error(payload);
  prepared_ = *ok;
  definitions_ = std::uint32_t{ok->columns} + ok->parameters;
  return true;
}

bool Exchange::accept_error(Bytes payload) {
  const Result<ErrPacket> err = ErrPacket::parse(payload);
  error_ = err ? err->describe() : "reply is neither OK nor ERR";
  if (!err) return false;
  if (refused_.code == 0)
    refused_ = {err->code, std::string(err->state), std::string(err->message)};
  return tolerant_ ? received_ <= prepare_at_ : received_ == prepare_at_;
}

bool Exchange::accept(Bytes payload) {
  const Result<OkPacket> ok = OkPacket::parse(payload);
  if (!ok) return accept_error(payload);
  state_->status = ok->status;
  ChangeReader changes(ok->changes);
  SessionChange change;
  while (changes.next(change)) {
    if (change.type != ChangeType::variable) continue;
    state_->note_variable(change.name, change.value);
    if (!tracking_) continue;
    track_variable(state_->session, change.name, change.value);
    reported_.emplace_back(change.name);
  }
  if (!changes.ok()) error_ = "session changes are malformed";
  return changes.ok();
}

}  // namespace weirpool::protocol::mysql
