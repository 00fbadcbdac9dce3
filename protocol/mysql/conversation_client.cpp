// The client's side of the conversation: commands, their text, what is answered without a backend.
#include <algorithm>
#include <utility>

#include "protocol/mysql/capabilities.hpp"
#include "protocol/mysql/conversation.hpp"
#include "protocol/mysql/query_attributes.hpp"

namespace weirpool::protocol::mysql {
namespace {

constexpr std::uint16_t kSilence = 0xFFFF;
constexpr std::uint16_t kUnknownCommandCode = 1047;
constexpr std::uint16_t kUnsupportedCode = 1235;
constexpr std::uint16_t kUnknownStatementCode = 1243;
constexpr std::uint16_t kMalformedCode = 1835;

}  // namespace

Verdict ServerConversation::from_client(MutableBytes unread) {
  switch (intake_) {
    case Intake::text: return more_text(unread);
    case Intake::payload: return next_frame(unread);
    case Intake::discard: return discard(unread);
    case Intake::answer: return reply(unread);
    case Intake::file: return file_packet(unread);
    case Intake::command: break;
  }
  if (response_.in_log()) return log_packet(unread);
  if (!response_.finished() || flag_.leaving) return Verdict::hold();
  return command(unread);
}

Verdict ServerConversation::command(MutableBytes unread) {
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const FrameHeader header = header_of(unread);
  sequence_ = 0;
  if (!in_order(unread)) return Verdict::close(Fault::protocol_violation);
  if (header.length == 0) return drop({kUnknownCommandCode, "08S01", "Unknown command"}, unread);
  if (unread.size() == kHeaderSize) return Verdict::need(kHeaderSize + 1);
  command_ = unread[kHeaderSize];
  return dispatch(row_of_command(command_), unread, header);
}

/// Whether the packet at the front carries the id it has to carry. Inside compressed frames, which
/// have numbers of their own, servers do not look at packets' ids and some clients lose count: they
/// are put right for the backend.
bool ServerConversation::in_order(MutableBytes unread) {
  const bool compressed = (start_.capabilities & (cap::compress | cap::zstd)) != 0;
  if (compressed) unread[3] = sequence_;
  return unread[3] == sequence_;
}

Verdict ServerConversation::dispatch(const CommandRow& row, MutableBytes unread,
                                     FrameHeader header) {
  if (lost_ != Lost::no) {
    if (const std::optional<Verdict> answer = lost_command(row, unread, header)) return *answer;
  }
  switch (row.handling) {
    case Handling::quit: return Verdict::done();
    case Handling::unknown: return drop({kUnknownCommandCode, "08S01", "Unknown command"}, unread);
    case Handling::log_in: return Verdict::log_in();
    case Handling::reset: return reset_command(unread);
    case Handling::text: return text_command(unread, header);
    case Handling::statement:
    case Handling::statement_silent: return statement_command(row, unread, header);
    case Handling::ping:
      if (backend_ == nullptr) return drop({}, unread);
      break;
    case Handling::forward:
    case Handling::replica: break;
  }
  if (header.length == kMaxPayload) return Verdict::close(Fault::message_too_large);
  constexpr std::size_t kOption = kHeaderSize + 1 + 2;
  if (command_ == com::set_option && header.length == 3) {
    if (unread.size() < kOption) return Verdict::need(kOption);
    flag_.multi_on = Reader(unread.subspan(kHeaderSize + 1)).le16() == kMultiStatementsOn;
  }
  if (backend_ == nullptr) return Verdict::lease();
  if (!synchronize(true)) return run_errand(Party::client, unread);
  if (row.handling == Handling::replica) flag_.replica = true;
  return forward_command(unread, header);
}

Verdict ServerConversation::statement_command(const CommandRow& row, MutableBytes unread,
                                              FrameHeader header) {
  constexpr std::size_t kFixed = 1 + 4;  // command, statement id
  const bool silent = row.handling == Handling::statement_silent;
  if (header.length < kFixed) {
    return drop({silent ? kSilence : kMalformedCode, "HY000", "Malformed communication packet"},
                unread);
  }
  if (unread.size() < kHeaderSize + kFixed) return Verdict::need(kHeaderSize + kFixed);
  const std::uint32_t id = Reader(unread.subspan(kHeaderSize + 1)).le32();
  if (backend_ == nullptr || !tracker_.knows(id)) {
    return drop(
        {silent ? kSilence : kUnknownStatementCode, "HY000", "Unknown prepared statement handler"},
        unread);
  }
  if (command_ == com::stmt_close) tracker_.close(id);
  return forward_command(unread, header);
}

Verdict ServerConversation::text_command(MutableBytes unread, FrameHeader header) {
  const std::size_t total = kHeaderSize + header.length;
  if (unread.size() < std::min(total, kMaxNeed)) return Verdict::need(std::min(total, kMaxNeed));
  if (scanned_ == 0) scan(unread, header);
  if (text_.kills()) {
    return drop({kUnsupportedCode, "42000", "KILL is not supported by weirpool"}, unread);
  }
  if (backend_ == nullptr) return Verdict::lease();
  const bool whole = scanned_ == total && header.length < kMaxPayload;
  if (!synchronize(whole)) return run_errand(Party::client, unread);
  note_ending(text_of(unread.first(scanned_)).substr(kHeaderSize + 1), whole);
  response_.expect(row_of_command(command_).reply, 1, tracker_.status());
  flag_.fresh = false;
  flag_.foreign = false;
  flag_.more_frames = header.length == kMaxPayload;
  left_ = total - scanned_;
  intake_ = left_ > 0 ? Intake::text : flag_.more_frames ? Intake::payload : Intake::command;
  return Verdict::forward(std::exchange(scanned_, 0));
}

/// Looks at the beginning of a text, as much of it as is there.
void ServerConversation::scan(MutableBytes unread, FrameHeader header) {
  const std::size_t total = kHeaderSize + header.length;
  scanned_ = std::min(total, unread.size());
  Bytes sql = unread.first(scanned_).subspan(kHeaderSize + 1);
  bool everything = hides_quotes(tracker_.wanted());
  if (command_ == com::query && (start_.capabilities & cap::query_attributes) != 0) {
    const std::optional<std::size_t> at = sql_behind_attributes(sql);
    // Attributes without an end in sight: their bytes are looked at too, and may hide quotes.
    if (at) sql = sql.subspan(*at);
    everything = everything || !at;
  }
  const std::string* sql_mode = tracker_.wanted().find("sql_mode");
  text_.begin({(tracker_.status() & status::no_backslash_escapes) == 0,
               sql_mode != nullptr && sql_mode->find("ANSI_QUOTES") != std::string::npos,
               everything});
  text_.feed(sql);
  if (scanned_ == total && header.length < kMaxPayload) text_.finish();
}

Verdict ServerConversation::more_text(MutableBytes unread) {
  if (unread.empty()) return Verdict::need(1);
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, unread.size()));
  text_.feed(unread.first(count));
  left_ -= count;
  if (left_ == 0) intake_ = flag_.more_frames ? Intake::payload : Intake::command;
  if (intake_ == Intake::command) text_.finish();
  return Verdict::forward(count);
}

/// The header of a continuation packet.
Verdict ServerConversation::next_frame(MutableBytes unread) {
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const FrameHeader header = header_of(unread);
  ++sequence_;
  if (!in_order(unread)) return Verdict::close(Fault::protocol_violation);
  response_.expect(row_of_command(command_).reply, static_cast<std::uint8_t>(sequence_ + 1),
                   tracker_.status());
  flag_.more_frames = header.length == kMaxPayload;
  const Handling handling = row_of_command(command_).handling;
  if (handling == Handling::text && header.length > 0) {
    left_ = header.length;
    intake_ = Intake::text;
    return Verdict::forward(kHeaderSize);
  }
  if (!flag_.more_frames) {
    intake_ = Intake::command;
    if (handling == Handling::text) text_.finish();
  }
  flag_.streaming = unread.size() < kHeaderSize + header.length;
  return Verdict::forward(kHeaderSize + header.length);
}

/// One packet of the file a backend has asked for, whatever is in it.
Verdict ServerConversation::file_packet(MutableBytes unread) {
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const FrameHeader header = header_of(unread);
  // Behind a full packet an empty one is the rest of it, not the end.
  const bool last = header.length == 0 && !flag_.more_frames;
  sequence_ = response_.client_sequence();
  if (!in_order(unread)) return Verdict::close(Fault::protocol_violation);
  response_.file_packet(unread.first(kHeaderSize), last);
  const std::size_t total = kHeaderSize + header.length;
  flag_.more_frames = header.length == kMaxPayload;
  flag_.streaming = unread.size() < total;
  if (last) intake_ = Intake::command;
  return Verdict::forward(total);
}

/// What a replica says while the log streams towards it: acknowledgements, or goodbye.
Verdict ServerConversation::log_packet(MutableBytes unread) {
  if (unread.size() <= kHeaderSize) return Verdict::need(kHeaderSize + 1);
  const std::size_t total = kHeaderSize + header_of(unread).length;
  if (unread[kHeaderSize] == com::quit) return Verdict::done();
  if (total > kMaxNeed) return Verdict::close(Fault::protocol_violation);
  return unread.size() < total ? Verdict::need(total) : Verdict::forward(total);
}

Verdict ServerConversation::forward_command(MutableBytes unread, FrameHeader header) {
  const std::size_t total = kHeaderSize + header.length;
  // Nobody has looked into a prepared statement.
  flag_.doubtful = command_ == com::stmt_execute;
  flag_.fresh = false;
  flag_.foreign = false;
  flag_.more_frames = header.length == kMaxPayload;
  flag_.streaming = unread.size() < total;
  intake_ = flag_.more_frames ? Intake::payload : Intake::command;
  response_.expect(row_of_command(command_).reply, 1, tracker_.status());
  text_.begin({});
  return Verdict::forward(total);
}

/// Takes the client's command out of the stream and answers it here.
void ServerConversation::drop(Answer answer) {
  answer_ = std::move(answer);
  intake_ = Intake::discard;
  scanned_ = 0;
  sequence_ = 0xFF;  // the header is read again, as sequence id 0
}

Verdict ServerConversation::drop(Answer answer, MutableBytes unread) {
  drop(std::move(answer));
  return discard(unread);
}

Verdict ServerConversation::discard(MutableBytes unread) {
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const FrameHeader header = header_of(unread);
  ++sequence_;
  if (!in_order(unread)) return Verdict::close(Fault::protocol_violation);
  if (header.length < kMaxPayload) intake_ = Intake::answer;
  return Verdict::skip(kHeaderSize + header.length);
}

Verdict ServerConversation::reply(MutableBytes unread) {
  intake_ = Intake::command;
  flag_.fresh = false;
  if (answer_.code == kSilence) return step(Party::client, unread);
  out_.clear();
  const std::size_t at = begin_packet(out_, static_cast<std::uint8_t>(sequence_ + 1));
  if (answer_.code == 0) {
    write_ok(out_, tracker_.status() & status::lasting, 0);
  } else {
    ErrPacket{answer_.code, answer_.state, answer_.message}.serialize(out_);
  }
  end_packet(out_, at);
  return Verdict::send(Party::client, out_.view());
}

Verdict ServerConversation::reset_command(MutableBytes unread) {
  if (backend_ != nullptr) {
    start(Errand::reset);
    return run_errand(Party::client, unread);
  }
  reset_virtual_session();
  return drop({}, unread);
}

}  // namespace weirpool::protocol::mysql
