// Statements that weirpool does not keep, because they are too long or too many. An unnamed one
// keeps its backend until it is bound; named ones live on the backend under the client's own names,
// and it keeps its client until the server has none of them left:
//
//   client            weirpool                                       backend
//   Parse "s", ...   ->                                           -> Parse "s", ...
//   ... Sync         ->                                           ->
//                                                                 <- ParseComplete ReadyForQuery
//                     is there one that is not weirpool's?        ->
//                                                                 <- "t"
//   Close "s" Sync   ->                                           ->
//                                                                 <- CloseComplete ReadyForQuery
//                     is there one that is not weirpool's?        ->
//                                                                 <- "f"
//                     detach
//
// Meanwhile every new name of the client's goes the same way, so that the server itself says which
// are taken.
#include <algorithm>
#include <utility>

#include "protocol/postgres/conversation.hpp"

namespace weirpool::protocol::postgres {
namespace {

std::string limit_error(std::string_view name) {
  ErrorResponse error;
  error.severity = "ERROR";
  error.sqlstate = "54000";
  const std::string message = "prepared statement \"" + std::string(name) +
                              "\" is too long, or one too many, to be kept by weirpool";
  error.message = message;
  Writer out;
  error.serialize(out);
  return std::string(text_of(out.view()));
}

}  // namespace

PostgresConversation::Step PostgresConversation::on_long_parse(const Header& header, Run& run) {
  if (run.size != 0) return std::nullopt;
  const Bytes rest = run.rest();
  const std::string_view seen = text_of(rest.first(std::min(rest.size(), kMaxNeed)));
  const std::size_t end = seen.find('\0', kHeaderSize);
  if (end == std::string_view::npos) {
    if (rest.size() < kMaxNeed) return Verdict::need(kMaxNeed);
    return Verdict::close(Fault::protocol_violation);
  }
  const std::string_view name = seen.substr(kHeaderSize, end - kHeaderSize);
  unsynced_ = true;
  if (!name.empty()) {
    std::string refusal = not_for_backend(name);
    // What is refused has to be seen as a whole.
    if (refusal.empty() && catalog_->policy.refused != 0) refusal = limit_error(name);
    if (!refusal.empty()) {
      fail_parse(std::move(refusal));
      to_backend_.skip(header.total());
      return std::nullopt;
    }
    effects_ |= kPinLongStatement;
    queue_.push(Reply::parse);
  } else {
    streamed_ = std::make_shared<Statement>();
    unnamed_ = streamed_;
    backend_->unnamed = unnamed_;
    backend_->unnamed_certain = true;
    queue_.push(Reply::parse, unnamed_);
  }
  ++backend_->tally.client_parses;
  ++backend_->tally.server_parses;
  streams_ = name.empty() ? Streams::unnamed : Streams::unkept;
  scan_ = std::make_unique<TextScan>(reading());
  text_left_ = header.total();
  text_head_ = static_cast<std::uint16_t>(end + 1);
  return std::nullopt;
}

/// The client has as much as weirpool keeps, or something that it does not.
bool PostgresConversation::not_for_keeping(const ParseMessage& message) const {
  return (effects_ & kPinLongStatement) != 0 ||
         statements_.size() >= catalog_->max_client_statements() ||
         statements_.bytes() + message.body.size() > kMaxParsed;
}

/// Why the backend cannot have it under its name, an ErrorResponse; empty: it can.
std::string PostgresConversation::not_for_backend(std::string_view name) const {
  if (statements_.contains(name) || (sql_ && sql_->find(name) != nullptr)) return taken_error(name);
  if (foreign_name(name) != name) return limit_error(name);
  return {};
}

/// A value: not yet.
PostgresConversation::Step PostgresConversation::leave_to_backend(const ParseMessage& message,
                                                                  const Run& run) {
  std::string refusal = not_for_backend(message.name);
  if (!refusal.empty()) {
    fail_parse(std::move(refusal));
    return std::nullopt;
  }
  const TextEffects effects = effects_of(message.text, reading());
  if (const Step later = cleanse(effects, run)) return later;
  ++backend_->tally.server_parses;
  ParseMessage::serialize(message.name, message.body, to_backend_.out());
  queue_.push(Reply::parse);
  note_unkept(effects);
  return std::nullopt;
}

/// The backend gets a statement with these effects, which it may execute whenever it is bound.
void PostgresConversation::note_unkept(const TextEffects& effects) {
  const Effects bits = effects.bits & ~catalog_->policy.allowed;
  effects_ |= kPinLongStatement | (bits & kPins);
  // Nobody sees it being executed.
  if (bits != 0) effects_ |= kPinLoad;
  // It may also fail.
  check().verify(kPinLongStatement);
  keeping_ = false;
}

/// One of them may be no more.
void PostgresConversation::doubt_unkept() {
  if ((effects_ & kPinLongStatement) != 0) check().verify(kPinLongStatement);
}

/// In front of a Bind of one of them, which may have been too long to be understood in time.
PostgresConversation::Step PostgresConversation::cleanse_for_unkept(const Run& run) {
  if ((effects_ & kPinLongStatement) == 0) return std::nullopt;
  return cleanse({effects_ & kPinSequence, {}}, run);
}

}  // namespace weirpool::protocol::postgres
