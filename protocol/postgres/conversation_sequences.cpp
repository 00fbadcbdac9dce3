// currval() and lastval(): what they say is the session's, and no client may hear another's. So a
// backend forgets what it remembers in front of the first text that asks, as long as nothing of
// this client's can have used a sequence there:
//
//   client                       weirpool                         backend
//   Query lastval()       ->     DISCARD SEQUENCES         ->
//                                                          <-     (swallowed) ReadyForQuery
//                                Query lastval()           ->
//
// In the middle of an extended batch it becomes a part of that.
#include "protocol/postgres/conversation.hpp"

namespace weirpool::protocol::postgres {
namespace {

constexpr std::string_view kCleansing = "DISCARD SEQUENCES";
/// Of a statement and a portal of weirpool's own. The names of shared ones end in a digit.
constexpr std::string_view kErrandName = "weirpool_errand";

}  // namespace

/// A value: the client waits, or what has to stand in front of its message is on its way.
PostgresConversation::Step PostgresConversation::cleanse(const TextEffects& effects,
                                                         const Run& run) {
  if ((effects.bits & kPinSequence) == 0 || cleansed_ || drew_ || status_ == 'E') {
    return std::nullopt;
  }
  // What stands before it goes first, and is answered first unless it is of the same batch.
  if (run.size != 0 || (!queue_.empty() && !unsynced_)) return Verdict::hold();
  cleansed_ = true;
  if (unsynced_) {
    inject_cleansing();
  } else {
    if (!served_) used_ = false;  // What the client wants is still to come.
    begin_own(Purpose::cleanse, std::string(kCleansing));
  }
  return to_backend_.next();
}

/// As a part of the client's batch, beside its unnamed statement and portal.
void PostgresConversation::inject_cleansing() {
  Writer& out = to_backend_.out();
  const auto sent = [this] { queue_.push(Reply::errand); };
  const auto close = [&](char kind) {
    NameMessage{kind, kErrandName}.serialize('C', out);
    sent();
  };
  // A batch that failed may have left its own.
  close('P');
  close('S');
  const std::string body = std::string(kCleansing) + std::string(3, '\0');
  ParseMessage::serialize(kErrandName, bytes_of(body), out);
  sent();
  {
    const Framed bind(out, 'B');
    out.cstr(kErrandName);
    out.cstr(kErrandName);
    for (int zeros = 6; zeros > 0; --zeros) out.u8(0);  // No formats, no values, no formats.
  }
  sent();
  {
    const Framed run(out, 'E');
    out.cstr(kErrandName);
    out.be32(0);
  }
  sent();
  close('P');
  close('S');
}

}  // namespace weirpool::protocol::postgres
