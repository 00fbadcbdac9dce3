// What the attached backend still owes, in the order in which it will answer: one entry per message
// that has an answer, whether the client or weirpool sent it, and per answer weirpool makes up
// itself. Entries whose failure has to be undone carry a note.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/postgres/prepared.hpp"

namespace weirpool::protocol::postgres {

enum class Reply : std::uint8_t {
  none,  ///< nothing is owed: the queue is empty
  query,
  function,
  sync,
  parse,
  parse_injected,  ///< weirpool's own: its ParseComplete is swallowed
  parse_made_up,   ///< the backend knows the statement: ParseComplete comes from weirpool
  bind,
  describe_statement,
  describe_injected,  ///< weirpool's own question for the columns of a statement: swallowed
  describe_portal,
  execute,
  close,
  close_injected,
  close_made_up,
  deallocate,  ///< a query of weirpool's own in place of the client's DEALLOCATE: only its tag
               ///< differs
  deallocate_portal,  ///< the same of an Execute
  errand,             ///< part of a statement of weirpool's own in the client's batch: swallowed
  copy_end,           ///< CopyDone or CopyFail sent before CopyInResponse was seen: no answer
  count_,
};

/// Its answer ends with ReadyForQuery.
constexpr bool ends_with_ready(Reply reply) {
  return reply == Reply::query || reply == Reply::deallocate || reply == Reply::function ||
         reply == Reply::sync;
}

/// What else was assumed when the message was sent.
struct Note {
  std::string client_name;
  std::uint32_t generation = 0;  ///< close_injected: in which the backend had the statement
  std::string words;  ///< not empty: it was sent to fail, and this is the error the client reads
  std::string_view instead_of{};  ///< only in place of the error with this SQLSTATE; empty: of any
};

inline std::unique_ptr<Note> note_of(std::string_view client_name) {
  return std::make_unique<Note>(Note{std::string(client_name), 0, {}, {}});
}

/// Of what is sent to fail.
inline std::unique_ptr<Note> failure(std::string words, std::string_view instead_of = {}) {
  return std::make_unique<Note>(Note{{}, 0, std::move(words), instead_of});
}

struct Expected {
  Reply reply = Reply::none;
  std::uint32_t bytes = 0;   ///< of the statement, which lives as long as it is owed
  std::uint64_t number = 0;  ///< of the named statement (Statement::number) it is about; 0: none
  StatementRef statement;    ///< that Parse or Close is about
  std::unique_ptr<Note> note;

  std::string_view client_name() const {
    return note == nullptr ? std::string_view{} : std::string_view(note->client_name);
  }
};

/// The most that may be owed, and that statements of it may be long together, bytes. Beyond it the
/// client waits.
inline constexpr std::size_t kMaxExpected = 4096;
inline constexpr std::size_t kMaxExpectedBytes = std::size_t{16} << 20;

/// Its memory is the backend's, which lends it for as long as it is lent itself: an idle client has
/// none, and a busy one need not ask for any.
class ReplyQueue {
 public:
  using Storage = std::vector<Expected>;
  /// Entries the memory of an idle backend may have room for.
  static constexpr std::size_t kKept = 64;

  /// Before the first push.
  void take(Storage& lent) { entries_.swap(lent); }
  /// Forgets everything; what a long pipeline made grow is not kept.
  void give_back(Storage& lent) {
    clear();
    if (entries_.capacity() <= kKept) entries_.swap(lent);
    Storage().swap(entries_);
  }

  bool empty() const { return head_ == entries_.size(); }
  std::size_t size() const { return entries_.size() - head_; }
  bool full() const { return size() >= kMaxExpected || bytes_ >= kMaxExpectedBytes; }
  Reply front() const { return empty() ? Reply::none : entries_[head_].reply; }
  Expected& operator[](std::size_t i) { return entries_[head_ + i]; }
  /// Reply::none behind the end.
  Reply at(std::size_t i) const { return i < size() ? entries_[head_ + i].reply : Reply::none; }

  void push(Reply reply, StatementRef statement = nullptr, std::unique_ptr<Note> note = nullptr) {
    entries_.push_back(expected(reply, std::move(statement), std::move(note)));
  }
  void push_about(Reply reply, std::uint64_t number) {
    entries_.push_back({reply, 0, number, nullptr, nullptr});
  }
  void push_front(Reply reply, StatementRef statement) {
    entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(head_),
                    expected(reply, std::move(statement), nullptr));
  }
  void pop() {
    Expected& first = entries_[head_++];
    bytes_ -= first.bytes;
    first.statement.reset();
    first.note.reset();
    if (empty()) return clear();
    // A client that always has something under way never empties it.
    if (head_ < kKept / 2 || 2 * head_ < entries_.size()) return;
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  void erase(std::size_t i) {
    bytes_ -= (*this)[i].bytes;
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(head_ + i));
  }

 private:
  Expected expected(Reply reply, StatementRef statement, std::unique_ptr<Note> note) {
    const std::size_t bytes = statement == nullptr ? 0 : statement->body().size();
    bytes_ += bytes;
    return {reply, static_cast<std::uint32_t>(bytes), 0, std::move(statement), std::move(note)};
  }
  void clear() {
    entries_.clear();
    head_ = 0;
    bytes_ = 0;
  }

  Storage entries_;
  std::size_t head_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace weirpool::protocol::postgres
