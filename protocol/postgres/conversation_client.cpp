// The client's half of the conversation. Drawn in conversation.hpp.
#include <algorithm>
#include <utility>

#include "protocol/postgres/conversation.hpp"
#include "protocol/postgres/transaction_text.hpp"
#include "protocol/reader.hpp"

namespace weirpool::protocol::postgres {
namespace {

bool ends_batch(FromClient action) {
  return action == FromClient::sync || action == FromClient::query ||
         action == FromClient::function;
}

}  // namespace

Verdict PostgresConversation::client_step(Bytes unread) {
  const Verdict verdict = client_verdict(unread);
  if (keeping_) keep(verdict, unread);
  return verdict;
}

Verdict PostgresConversation::client_verdict(Bytes unread) {
  client_moving_ = false;
  if (const Step queued = backend_ ? to_backend_.next() : to_client_.next()) return *queued;
  if (backend_ == nullptr) {
    while (true) {
      const Step verdict = refusal_ ? refused_message(unread)
                           : lost_  ? lost_message(unread)
                                    : detached_message(unread);
      if (verdict) return *verdict;
      if (const Step queued = to_client_.next()) return *queued;
    }
  }
  if (const Step asked = check_step()) return *asked;
  if (own_ || settle_failed_ || healing_ || last_words_) return Verdict::hold();
  if (text_left_ != 0) return stream_text(unread);
  if (releasable()) return Verdict::release();
  Run run{unread, std::exchange(carry_, 0)};
  while (!run.streams()) {
    const std::uint64_t before = run.size;
    const Step verdict = attached_message(run);
    if (run.size == before) {
      // The run ends here; what stopped it comes after it has been forwarded.
      if (run.size != 0) break;
      if (verdict) return *verdict;
      if (const Step queued = to_backend_.next()) return *queued;
      if (text_left_ != 0) return stream_text(unread);
    }
  }
  client_moving_ = true;
  return Verdict::forward(run.size);
}

PostgresConversation::Step PostgresConversation::attached_message(Run& run) {
  const Bytes rest = run.rest();
  // What has made the backend forget is answered first: everything behind it depends on that.
  if (forgetting_ && !unsynced_ && phase_ != Phase::copy_in) return Verdict::hold();
  if (gather_.collecting()) {
    return on_parse({'P', static_cast<std::uint32_t>(gather_.total() - 1)}, run);
  }
  if (rest.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const Header header = peek_header(rest);
  const FromClient action = client_action(phase_, header.tag);
  if (!legal_length(header) || action == FromClient::violation) {
    return Verdict::close(Fault::protocol_violation);
  }
  // What is kept has to be seen.
  if (keeping_ && rest.size() < header.total() && header.total() <= kMaxNeed) {
    return Verdict::need(header.total());
  }
  if (action != FromClient::terminate && action != FromClient::skip) {
    if (queue_.full()) return when_full();
    used_ = true;
  }
  asks_flush_ = action == FromClient::flush;
  const std::uint64_t before = run.size;
  const Step verdict = handle(action, header, run);
  if (run.size != before || text_left_ != 0) unsynced_ = unsynced_ && !ends_batch(action);
  return verdict;
}

PostgresConversation::Step PostgresConversation::handle(FromClient action, const Header& header,
                                                        Run& run) {
  switch (action) {
    case FromClient::query: return on_query(header, run);
    case FromClient::function: return on_function(header, run);
    case FromClient::parse: return on_parse(header, run);
    case FromClient::bind: return on_bind(header, run);
    case FromClient::describe: return on_describe(header, run);
    case FromClient::execute: return on_execute(header, run);
    case FromClient::close: return on_close(header, run);
    case FromClient::sync:
    case FromClient::flush:
    case FromClient::terminate: return on_bare(action, header, run);
    case FromClient::copy_data:
    case FromClient::copy_end:
      // Without anything under way these are left over from a COPY that has already failed.
      if (phase_ == Phase::relay && queue_.empty()) return skip(header, run);
      if (action == FromClient::copy_data) return pass(header, run);
      if (std::exchange(phase_, Phase::relay) == Phase::copy_in) return pass(header, run);
      return pass(header, run, Reply::copy_end);
    case FromClient::skip: return skip(header, run);
    case FromClient::violation: break;
  }
  return Verdict::close(Fault::protocol_violation);
}

PostgresConversation::Step PostgresConversation::pass(const Header& header, Run& run) {
  run.size += header.total();
  return std::nullopt;
}

PostgresConversation::Step PostgresConversation::pass(const Header& header, Run& run, Reply owed) {
  queue_.push(owed);
  return pass(header, run);
}

PostgresConversation::Step PostgresConversation::skip(const Header& header, Run& run) {
  if (run.size == 0) to_backend_.skip(header.total());
  return std::nullopt;
}

PostgresConversation::Step PostgresConversation::when_full() {
  // A backend that has not been asked to flush may sit on the answers we wait for.
  if (!std::exchange(flushed_, true)) write_bare('H', to_backend_.out());
  return Verdict::hold();
}

PostgresConversation::Step PostgresConversation::on_bare(FromClient action, const Header& header,
                                                         Run& run) {
  if (header.length != 4) return Verdict::close(Fault::protocol_violation);
  if (action == FromClient::terminate) return Verdict::done();
  if (action == FromClient::flush) {
    unsynced_ = true;
    return pass(header, run);
  }
  if (phase_ == Phase::skipping) phase_ = Phase::relay;
  bound_ = nullptr;
  deallocates_.clear();
  return pass(header, run, Reply::sync);
}

PostgresConversation::Step PostgresConversation::on_query(const Header& header, Run& run) {
  const Bytes rest = run.rest();
  const auto wanted = std::min<std::uint64_t>(header.total(), kMaxNeed);
  if (rest.size() < wanted) return Verdict::need(wanted);
  const bool whole = rest.size() >= header.total();
  if (!whole && run.size != 0) return std::nullopt;
  TextEffects effects;
  const std::string_view text =
      text_of(rest.first(static_cast<std::size_t>(whole ? header.total() : wanted)))
          .substr(kHeaderSize);
  if (whole) {
    effects = effects_of(text, reading());
    std::string words = refusal_of(catalog_->policy, effects.bits);
    if (!words.empty()) {
      if (run.size == 0) refuse_query(header, std::move(words));
      return std::nullopt;
    }
    if (const Step later = cleanse(effects, run)) return later;
    if (deallocates(effects, text, header, run)) return std::nullopt;
    if (executes(text)) return execute_named(header, text, std::move(effects), run);
  }
  queue_.push(Reply::query);
  // A simple Query ends the unnamed statement, whoever made it, and the unnamed portal.
  unnamed_.reset();
  unnamed_ends_ = false;
  backend_->unnamed.reset();
  backend_->unnamed_certain = true;
  note_ending(text, whole);
  if (whole) {
    execute_effects(effects, text);
    return pass(header, run);
  }
  scan_ = std::make_unique<TextScan>(reading());
  text_left_ = header.total();
  text_head_ = kHeaderSize;
  return std::nullopt;
}

PostgresConversation::Step PostgresConversation::on_function(const Header& header, Run& run) {
  constexpr std::size_t kFront = kHeaderSize + 4;
  if (header.total() < kFront) return Verdict::close(Fault::protocol_violation);
  if (run.rest().size() < kFront) return Verdict::need(kFront);
  Reader in(run.rest().subspan(kHeaderSize));
  const TextEffects effects{effects_of_function(in.be32()), {}};
  if (const Step later = cleanse(effects, run)) return later;
  queue_.push(Reply::function);
  drew_ = true;
  execute_effects(effects);
  return pass(header, run);
}

/// The backend is made to fail in its place, so that a transaction fails as it should.
void PostgresConversation::refuse_query(const Header& header, std::string words) {
  queue_.push(Reply::query, nullptr, failure(std::move(words)));
  replace_query(header, kRefusedText);
}

void PostgresConversation::replace_query(const Header& header, std::string_view text) {
  unnamed_.reset();
  backend_->unnamed.reset();
  backend_->unnamed_certain = true;
  write_query(text, to_backend_.out());
  to_backend_.skip(header.total());
}

/// Forwards what is visible of a text and looks at it on the way.
Verdict PostgresConversation::stream_text(Bytes unread) {
  if (unread.empty()) return Verdict::need(1);
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(text_left_, unread.size()));
  const std::size_t head = std::min<std::size_t>(text_head_, size);
  const std::string_view piece = text_of(unread.first(size).subspan(head));
  scan_->feed(piece);
  const bool within = status_ != 'I' || texts_behind();
  if (within && piece.find(';') != std::string_view::npos) doubtful_ = true;
  text_head_ = static_cast<std::uint16_t>(text_head_ - head);
  text_left_ -= size;
  if (text_left_ == 0) {
    TextEffects effects = scan_->finish();
    scan_.reset();
    switch (std::exchange(streams_, Streams::query)) {
      case Streams::query: execute_effects(effects); break;
      case Streams::unnamed: streamed_->effects = std::move(effects); break;
      case Streams::unkept: note_unkept(effects); break;
    }
  }
  client_moving_ = true;
  return Verdict::forward(size);
}

PostgresConversation::Step PostgresConversation::detached_message(Bytes unread) {
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const Header header = peek_header(unread);
  const FromClient action = client_action(phase_, header.tag);
  if (!legal_length(header) || action == FromClient::violation) {
    return Verdict::close(Fault::protocol_violation);
  }
  switch (action) {
    case FromClient::terminate:
      if (header.length != 4) return Verdict::close(Fault::protocol_violation);
      return Verdict::done();
    case FromClient::sync:
      if (header.length != 4) return Verdict::close(Fault::protocol_violation);
      to_client_.skip(header.total());
      write_ready('I', to_client_.out());
      phase_ = Phase::relay;
      return std::nullopt;
    case FromClient::flush:
    case FromClient::copy_data:
    case FromClient::copy_end:
    case FromClient::skip: to_client_.skip(header.total()); return std::nullopt;
    case FromClient::close: return close_unattached(unread, header);
    case FromClient::query:
      if (!asks_nothing(header, unread) && !ends_nothing(header, unread)) break;
      to_client_.skip(header.total());
      return std::nullopt;
    default: break;
  }
  const auto wanted = std::min<std::uint64_t>(header.total(), kMaxNeed);
  return unread.size() < wanted ? Verdict::need(wanted) : Verdict::lease();
}

/// The empty query, as drivers' pools send it to learn whether their connection lives (pgjdbc's
/// isValid): it does. In line, it would be refused under overload, and the pool would throw the
/// connection away and open another one.
bool PostgresConversation::asks_nothing(const Header& header, Bytes unread) {
  constexpr std::uint64_t kSize = kHeaderSize + 1;
  if (header.total() != kSize || unread.size() < kSize || unread[kHeaderSize] != 0) return false;
  write_bare('I', to_client_.out());
  write_ready('I', to_client_.out());
  return true;
}

/// ROLLBACK of a transaction that could not even begin, as applications send it behind any error:
/// answered as the server would, since to stand in line for it helps nobody.
bool PostgresConversation::ends_nothing(const Header& header, Bytes unread) {
  constexpr std::uint32_t kLongest = 64;
  if (!refused_ || header.total() > kLongest || unread.size() < header.total()) return false;
  const std::string_view text =
      text_of(unread.first(static_cast<std::size_t>(header.total()))).substr(kHeaderSize);
  if (ending_of(text.substr(0, text.find('\0'))) != Ending::rollback) return false;
  write_nothing_to_roll_back(to_client_.out());
  write_ready('I', to_client_.out());
  return true;
}

PostgresConversation::Step PostgresConversation::refused_message(Bytes unread) {
  if (unread.size() < kHeaderSize) return Verdict::need(kHeaderSize);
  const Header header = peek_header(unread);
  const FromClient action = client_action(Phase::relay, header.tag);
  to_client_.out().bytes(refusal_->view());
  refusal_.reset();
  if (action == FromClient::query || action == FromClient::function) {
    to_client_.skip(header.total());
    write_ready('I', to_client_.out());
  } else {
    // As the database server does: the error now, everything else is ignored up to Sync.
    phase_ = Phase::refusing;
  }
  return std::nullopt;
}

}  // namespace weirpool::protocol::postgres
