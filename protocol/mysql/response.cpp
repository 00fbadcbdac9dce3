#include "protocol/mysql/response.hpp"

#include <utility>

#include "protocol/mysql/capabilities.hpp"

namespace weirpool::protocol::mysql {
namespace {

/// Column counts are two bytes wide wherever they are not length-encoded.
constexpr std::uint64_t kMaxColumns = 0xFFFF;

}  // namespace

Response::ClientDialect Response::dialect_of(std::uint64_t capabilities) {
  return {(capabilities & cap::deprecate_eof) != 0, (capabilities & cap::session_track) != 0,
          (capabilities & (cap::optional_metadata | cap::cache_metadata)) != 0,
          (capabilities & cap::optional_metadata) != 0};
}

void Response::expect(ReplyPhase reply, std::uint8_t sequence, std::uint16_t status) {
  status_ = status;
  phase_ = reply;
  next_ = sequence;
  inserted_ = 0;
  continuation_ = false;
  eof_owed_ = false;
  pending_ = Pending::nothing;
}

void Response::release_memory() {
  reply_.release();
  out_.release();
}

Verdict Response::step(MutableBytes unread) {
  if (pending_ != Pending::nothing) return flush_pending();
  if (reply_.busy()) return collect(unread);
  return walk(unread);
}

Verdict Response::flush_pending() {
  const Pending what = pending_;
  pending_ = Pending::nothing;
  switch (what) {
    case Pending::skip: return Verdict::skip(pending_size_);
    case Pending::collected: return Verdict::send(Party::client, out_.view());
    default: break;
  }
  put_in_eof();
  if (phase_ == ReplyPhase::definitions) next_group();
  return Verdict::send(Party::client, eof_);
}

/// Into memory of its own: it is part of most results, and none of them should allocate.
void Response::put_in_eof() {
  const auto told = static_cast<std::uint16_t>((status_ & status::lasting) |
                                               std::exchange(early_status_, std::uint16_t{0}));
  eof_ = {5,
          0,
          0,
          client_sequence(),
          0xFE,
          0,
          0,
          static_cast<std::uint8_t>(told),
          static_cast<std::uint8_t>(told >> 8)};
  ++inserted_;
  eof_owed_ = false;
}

Verdict Response::walk(MutableBytes unread) {
  std::size_t at = 0;
  while (phase_ != ReplyPhase::idle && phase_ != ReplyPhase::file && at < unread.size()) {
    switch (packet(unread, at)) {
      case Walk::on: continue;
      case Walk::violation: return Verdict::close(Fault::backend_violation);
      case Walk::collect: return at > 0 ? Verdict::forward(at) : collect(unread);
      case Walk::stop: break;
    }
    break;
  }
  // A reply that ends with a definition has ended only when all of it has come.
  const bool passing = at > unread.size() && phase_ == ReplyPhase::idle;
  if (passing && pending_ == Pending::nothing) pending_ = Pending::passing;
  if (at > 0) return Verdict::forward(at);
  if (pending_ != Pending::nothing) return flush_pending();
  if (needed_ > 0) return Verdict::need(std::exchange(needed_, 0));
  return Verdict::need(unread.size() < kHeaderSize ? kHeaderSize : kHeaderSize + 1);
}

/// Looks at the packet at `at`. On: it has been taken, at least in part, and `at` stands behind it,
/// perhaps behind what has been read.
Response::Walk Response::packet(MutableBytes unread, std::size_t& at) {
  const MutableBytes rest = unread.subspan(at);
  if (rest.size() < kHeaderSize) return Walk::stop;
  const FrameHeader header = header_of(rest);
  // A server that waits for acknowledgements of its log counts anew behind each.
  if (phase_ == ReplyPhase::log && numbered_) next_ = header.sequence;
  if (header.sequence != next_ && numbered_) return Walk::violation;
  if (continuation_) return body(unread, at, header);
  if (header.length > 0 && rest.size() == kHeaderSize) return Walk::stop;
  const std::uint8_t first = header.length > 0 ? rest[kHeaderSize] : std::uint8_t{0};
  const PacketMeaning meaning = meaning_of(phase_, class_of(header.length, first));
  if (meaning == PacketMeaning::violation) return Walk::violation;
  if (meaning == PacketMeaning::row && !eof_owed_) {
    ++rows_;
    return body(unread, at, header);
  }
  if (meaning == PacketMeaning::definition) {
    if (header.length == kMaxPayload) return Walk::violation;
    body(unread, at, header);
    return phase_ != ReplyPhase::fields && count_definition() ? Walk::stop : Walk::on;
  }
  return last(unread, at, meaning);
}

/// A packet that passes by its length.
Response::Walk Response::body(MutableBytes unread, std::size_t& at, FrameHeader header) {
  renumber(unread.subspan(at));
  continuation_ = header.length == kMaxPayload;
  at += kHeaderSize + header.length;
  return Walk::on;
}

/// A packet that must be seen whole, and rows behind an EOF that is still owed.
Response::Walk Response::last(MutableBytes unread, std::size_t& at, PacketMeaning meaning) {
  const MutableBytes rest = unread.subspan(at);
  const FrameHeader header = header_of(rest);
  const std::size_t total = kHeaderSize + header.length;
  if (meaning == PacketMeaning::row && observer_->may_give_parameters()) {
    needed_ = look_for_parameters(rest);
    if (needed_ > 0) return Walk::stop;
  }
  if (meaning == PacketMeaning::row || (eof_owed_ && meaning == PacketMeaning::error)) {
    pending_ = Pending::eof;
    return Walk::stop;
  }
  if (rest.size() < total) return Walk::collect;
  std::size_t length = header.length;
  if (!finish_packet(meaning, rest.first(total), length)) return Walk::violation;
  if (pending_ == Pending::eof) return Walk::stop;  // put in first; this packet comes again
  if (std::exchange(swallowed_, false)) {
    pending_ = Pending::skip;
    pending_size_ = total;
    return Walk::stop;
  }
  at += kHeaderSize + length;
  if (length < header.length) {
    pending_ = Pending::skip;
    pending_size_ = header.length - length;
    return Walk::stop;
  }
  return Walk::on;
}

/// The EOF behind the columns says that what follows are OUT parameters, one row, as libraries ask
/// before they read it; towards us the packet behind it says so. Returns how many bytes from the
/// row on have to be seen. A row too long for that goes without.
std::size_t Response::look_for_parameters(MutableBytes row) {
  const std::size_t next = kHeaderSize + header_of(row).length;
  const std::size_t begun = next + kHeaderSize + 1;
  if (begun > kMaxNeed) return 0;
  if (row.size() < begun) return begun;
  const FrameHeader header = header_of(row.subspan(next));
  const std::size_t end = next + kHeaderSize + header.length;
  if (row[begun - 1] != 0xFE || end > kMaxNeed) return 0;
  if (row.size() < end) return end;
  const Result<OkPacket> ok = OkPacket::parse(row.subspan(next + kHeaderSize, header.length));
  constexpr std::uint16_t kTold = status::ps_out_params | status::more_results;
  if (ok && (ok->status & status::ps_out_params) != 0) early_status_ = ok->status & kTold;
  return 0;
}

Verdict Response::collect(MutableBytes unread) {
  const PacketCollector::Step step = reply_.feed(unread);
  switch (step.outcome) {
    case PacketCollector::Outcome::need: return Verdict::need(step.count);
    case PacketCollector::Outcome::piece: return Verdict::skip(step.count);
    case PacketCollector::Outcome::too_long: return Verdict::close(Fault::backend_violation);
    case PacketCollector::Outcome::whole: break;
  }
  const MutableBytes packet = reply_.packet();
  const FrameHeader header = header_of(packet);
  const std::uint8_t first = reply_.payload()[0];
  const PacketMeaning meaning = meaning_of(phase_, class_of(header.length, first));
  std::size_t length = header.length;
  out_.clear();
  bool taken = finish_packet(meaning, packet, length);
  if (pending_ == Pending::eof) {
    put_in_eof();
    out_.bytes(eof_);
    taken = finish_packet(meaning, packet, length);
  }
  if (!taken) return Verdict::close(Fault::backend_violation);
  if (!std::exchange(swallowed_, false)) {
    out_.bytes(packet.first(kHeaderSize + length));
    pending_ = Pending::collected;
  }
  reply_.release();
  return Verdict::skip(step.count);
}

/// Takes in a whole packet and rewrites it; `length` becomes its new payload length.
bool Response::finish_packet(PacketMeaning meaning, MutableBytes packet, std::size_t& length) {
  const MutableBytes payload = packet.subspan(kHeaderSize);
  switch (meaning) {
    case PacketMeaning::ok:
      // A log ends with an EOF, DEPRECATE_EOF or not.
      if (phase_ != ReplyPhase::log || length != kEofSize) return rewrite_ok(packet, length);
      phase_ = ReplyPhase::idle;
      break;
    case PacketMeaning::count:
      if (!begin_columns(payload)) return false;
      break;
    case PacketMeaning::prepared:
      if (!begin_definitions(payload)) return false;
      break;
    case PacketMeaning::file:
      if (!observer_->may_ask_for_file()) return false;
      phase_ = ReplyPhase::file;
      break;
    case PacketMeaning::error:
      if (!take_error(payload)) return false;
      [[fallthrough]];
    default: phase_ = ReplyPhase::idle; break;
  }
  renumber(packet);
  return true;
}

bool Response::rewrite_ok(MutableBytes packet, std::size_t& length) {
  const MutableBytes payload = packet.subspan(kHeaderSize);
  const Result<OkPacket> ok = OkPacket::parse(payload);
  if (!ok) return false;
  if (eof_owed_ && (ok->status & status::cursor_exists) == 0) {
    pending_ = Pending::eof;
    return true;
  }
  eof_owed_ = false;  // the EOF behind the columns of a cursor is also its last packet
  observer_->on_ok(*ok, rows_);
  status_ = ok->status;
  const std::uint16_t warnings = ok->warnings;
  renumber(packet);
  phase_ = ok->status & status::more_results ? ReplyPhase::first : ReplyPhase::idle;
  if (!dialect_.session_track) {
    length = ok->info.empty() ? ok->status_at + 4 : ok->info_end;
    payload[ok->status_at + 1] &= static_cast<std::uint8_t>(~(status::state_changed >> 8));
  }
  if (payload[0] == 0xFE && !dialect_.deprecate_eof) {
    // As EOF: header, warnings, status, in that order.
    const std::uint16_t shown = status_ & static_cast<std::uint16_t>(~status::state_changed);
    payload[1] = static_cast<std::uint8_t>(warnings);
    payload[2] = static_cast<std::uint8_t>(warnings >> 8);
    payload[3] = static_cast<std::uint8_t>(shown);
    payload[4] = static_cast<std::uint8_t>(shown >> 8);
    length = kEofSize;
  }
  patch_header(packet, {static_cast<std::uint32_t>(length), packet[3]});
  return true;
}

bool Response::begin_columns(Bytes payload) {
  Reader in(payload);
  const std::uint64_t count = in.lenenc();
  const bool described = !dialect_.metadata_flag || in.u8() != 0;
  if (in.finish() || count == 0 || count > kMaxColumns) return false;
  rows_ = 0;
  left_ = static_cast<std::uint32_t>(count);
  phase_ = described ? ReplyPhase::columns : ReplyPhase::rows;
  // The EOF of clients without DEPRECATE_EOF comes even where it stands behind no definition.
  eof_owed_ = !described && !dialect_.deprecate_eof;
  return true;
}

bool Response::take_error(Bytes payload) {
  const Result<ErrPacket> error = ErrPacket::parse(payload);
  if (!error) return false;
  swallowed_ = !observer_->on_error(*error);
  return true;
}

/// Behind PrepareOk, u8: whether definitions follow; only with OPTIONAL_RESULTSET_METADATA.
bool Response::begin_definitions(MutableBytes payload) {
  const Result<PrepareOk> ok = PrepareOk::parse(payload);
  if (!ok) return false;
  bool described = true;
  if (dialect_.prepared_metadata_flag) {
    if (payload.size() <= kPrepareOkSize) return false;
    described = payload[kPrepareOkSize] != 0;
  }
  put_le32(payload.subspan(kStatementAt), observer_->on_prepared(*ok));
  phase_ = ReplyPhase::definitions;
  left_ = described ? ok->parameters : 0;
  left_after_ = described ? ok->columns : 0;
  if (left_ == 0) next_group();
  return true;
}

void Response::next_group() {
  left_ = left_after_;
  left_after_ = 0;
  if (left_ == 0) phase_ = ReplyPhase::idle;
}

/// True when an EOF has to follow at once.
bool Response::count_definition() {
  --left_;
  if (left_ > 0) return false;
  if (phase_ == ReplyPhase::columns) {
    phase_ = ReplyPhase::rows;
    // Held back until the next packet shows whether a cursor has been opened.
    eof_owed_ = !dialect_.deprecate_eof;
    return false;
  }
  if (dialect_.deprecate_eof) {
    next_group();
    return false;
  }
  pending_ = Pending::eof;
  return true;
}

void Response::file_packet(MutableBytes header, bool last) {
  header[3] = next_++;
  if (last) phase_ = ReplyPhase::first;
}

/// Gives the packet at the front of `header` the client's sequence id.
void Response::renumber(MutableBytes header) {
  header[3] = client_sequence();
  ++next_;
}

}  // namespace weirpool::protocol::mysql
