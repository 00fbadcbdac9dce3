#include "protocol/mysql/recording.hpp"

#include "protocol/mysql/command_messages.hpp"
#include "protocol/mysql/commands.hpp"
#include "protocol/mysql/exchange.hpp"

namespace weirpool::protocol::mysql {

Recording::Recording(const ServerState& backend, std::string_view sql)
    : numbered_(!backend.compressed), packet_(kMaxReply) {
  backend.write_query(command_, sql);
}

Verdict Recording::step(Party from, MutableBytes unread) {
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
    case PacketCollector::Outcome::too_long: return pass_over(header_of(unread));
    case PacketCollector::Outcome::whole: break;
  }
  const bool in_order = packet_.sequence() == sequence_++ || !numbered_;
  if (!in_order || !accept(packet_.payload())) return Verdict::close(Fault::backend_violation);
  packet_.release();
  return Verdict::skip(step.count);
}

/// A row that is longer than what is kept.
Verdict Recording::pass_over(FrameHeader header) {
  const bool in_order = header.sequence == sequence_++ || !numbered_;
  if (!in_order || phase_ != Phase::rows || header.length == kMaxPayload)
    return Verdict::close(Fault::backend_violation);
  row_at_ = 0;
  cut_ = true;
  return Verdict::skip(kHeaderSize + header.length);
}

bool Recording::accept(Bytes payload) {
  if (payload.empty()) return false;
  if (payload[0] == 0xFF) {
    kept_.clear();
    phase_ = Phase::finished;
    return true;
  }
  Reader in(payload);
  const bool fits = kept_.size() + payload.size() + kHeaderSize <= kMaxRecording;
  switch (phase_) {
    case Phase::count:
      definitions_ = in.lenenc();
      if (definitions_ == 0) return false;
      // Where optional metadata has been negotiated, a byte says whether definitions follow.
      if (in.remaining() == 1 && in.u8() == 0) definitions_ = 0;
      if (in.finish()) return false;
      phase_ = definitions_ > 0 ? Phase::definitions : Phase::rows;
      break;
    case Phase::definitions:
      if (!fits) return false;
      if (--definitions_ == 0) phase_ = Phase::rows;
      break;
    default: {
      if (payload[0] != 0xFE) {
        row_at_ = fits ? kept_.size() : 0;
        cut_ = cut_ || !fits;
        if (!fits) return true;
        break;
      }
      const Result<OkPacket> end = OkPacket::parse(payload);
      if (!end) return false;
      status_ = end->status;
      note_changes(end->changes);
      phase_ = Phase::finished;
      break;
    }
  }
  keep(payload);
  return true;
}

void Recording::note_changes(Bytes changes) {
  ChangeReader reader(changes);
  SessionChange change;
  while (reader.next(change)) {
    if (change.type == ChangeType::state && change.value == "1") session_changed_ = true;
  }
}

std::string_view Recording::value(std::size_t column) const {
  if (row_at_ == 0) return {};
  const Bytes packet = Bytes(kept_).subspan(row_at_);
  Reader in(packet.subspan(kHeaderSize, header_of(packet).length));
  for (; column > 0; --column) in.lenenc_text();
  const std::string_view value = in.lenenc_text();
  return in.ok() ? value : std::string_view{};
}

void Recording::keep(Bytes payload) {
  const std::size_t at = kept_.size();
  kept_.resize(at + kHeaderSize);
  ++kept_packets_;
  patch_header(MutableBytes(kept_).subspan(at),
               {static_cast<std::uint32_t>(payload.size()), kept_packets_});
  kept_.insert(kept_.end(), payload.begin(), payload.end());
}

}  // namespace weirpool::protocol::mysql
