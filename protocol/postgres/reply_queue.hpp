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
  describe_portal,
  execute,
  close,
  close_injected,
  close_made_up,
  deallocate,  ///< a query of weirpool's own in place of the client's DEALLOCATE: only its tag
               ///< differs
  copy_end,    ///< CopyDone or CopyFail sent before CopyInResponse was seen: no answer
  count_,
};

/// What was assumed when the message was sent.
struct Note {
  std::string client_name;
  StatementRef statement;
  std::uint32_t generation = 0;  ///< close_injected: in which the backend had the statement
  std::string words;  ///< not empty: it was sent to fail, and this is the error the client reads
};

inline std::unique_ptr<Note> note_of(std::string_view client_name, StatementRef statement) {
  return std::make_unique<Note>(Note{std::string(client_name), std::move(statement), 0, {}});
}

struct Expected {
  Reply reply = Reply::none;
  std::uint64_t number = 0;  ///< of the named statement (Statement::number) it is about; 0: none
  std::unique_ptr<Note> note;
};

/// The most that may be owed. Beyond it the client waits.
inline constexpr std::size_t kMaxExpected = 4096;

class ReplyQueue {
 public:
  /// Entries an idle client's queue may have room for.
  static constexpr std::size_t kKept = 1;

  bool empty() const { return head_ == entries_.size(); }
  std::size_t size() const { return entries_.size() - head_; }
  bool full() const { return size() >= kMaxExpected; }
  Reply front() const { return empty() ? Reply::none : entries_[head_].reply; }
  Expected& operator[](std::size_t i) { return entries_[head_ + i]; }
  /// Reply::none behind the end.
  Reply at(std::size_t i) const { return i < size() ? entries_[head_ + i].reply : Reply::none; }

  void push(Reply reply, std::unique_ptr<Note> note = nullptr) {
    entries_.push_back({reply, 0, std::move(note)});
  }
  void push_about(Reply reply, std::uint64_t number) { entries_.push_back({reply, number, {}}); }
  void push_front(Reply reply, std::unique_ptr<Note> note) {
    entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(head_),
                    Expected{reply, 0, std::move(note)});
  }
  void pop() {
    ++head_;
    if (empty()) {
      entries_.clear();
      head_ = 0;
    }
  }
  void erase(std::size_t i) {
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(head_ + i));
  }
  /// Forgets everything and gives the memory back, but for what the next simple query needs.
  void release() {
    entries_.clear();
    if (entries_.capacity() > kKept) std::vector<Expected>().swap(entries_);
    head_ = 0;
  }

 private:
  std::vector<Expected> entries_;
  std::size_t head_ = 0;
};

}  // namespace weirpool::protocol::postgres
