// The command phase of a PostgreSQL client: which bytes go where, when a backend is needed and when
// it is free again.
//
//   client                       weirpool                             backend
//   Query | Parse ...     ->     lease, attach
//                                SET of what differs           ->
//                                                              <-     (swallowed) ReadyForQuery
//                                Query, Parse, Bind ... Sync   ->
//                         <-     answers, in order             <-     ... ReadyForQuery 'I'
//                                release, when every Sync, Query and FunctionCall has its
//                                ReadyForQuery and no state of the client stays behind
//
// Named statements are shared: a client's name stands for a text, the text has one name on all
// backends, and a backend that lacks it is given it on the way (see prepared.hpp). Answers weirpool
// makes up stand in the queue of expected replies like real ones, so their order is exact.
//
// Whatever goes to the client is sent by steps of the backend and the other way round, since only
// then no forward in that direction is unfinished; without a backend the client's steps answer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "protocol/engine.hpp"
#include "protocol/postgres/backend_state.hpp"
#include "protocol/postgres/catalog.hpp"
#include "protocol/postgres/conversation_table.hpp"
#include "protocol/postgres/frame.hpp"
#include "protocol/postgres/query_messages.hpp"
#include "protocol/postgres/reply_queue.hpp"
#include "protocol/postgres/session_text.hpp"

namespace weirpool::protocol::postgres {

/// Parse messages up to here are read whole, bytes; a longer unnamed one passes unread.
inline constexpr std::uint32_t kMaxParse = 1U << 20;
/// An unnamed statement up to here outlives its transaction on weirpool's side, bytes.
inline constexpr std::size_t kMaxUnnamedKept = 1U << 16;

class PostgresConversation final : public Conversation {
 public:
  /// `wanted`: the session parameters of the startup message.
  PostgresConversation(CatalogRef catalog, ProfileRef wanted)
      : catalog_(std::move(catalog)), wanted_(std::move(wanted)) {}

  Verdict step(Party from, MutableBytes unread) override;
  void attach(BackendState& backend) override;
  void detach() override;
  void refuse(Fault fault, std::string_view detail) override;
  bool at_boundary() const override;
  bool needs_reset() const override { return (effects_ & kPins) != 0 || stale_; }
  std::string_view pin_reason() const override { return pin_label(effects_); }
  bool executing() const override { return !queue_.empty(); }
  Verdict backend_lost() override;
  void write_fault(Fault fault, std::string_view detail, Writer& out) override;

 private:
  using Step = std::optional<Verdict>;

  /// A run of messages that can be passed on with one forward.
  struct Run {
    Bytes unread;
    std::uint64_t size = 0;  ///< may exceed unread: the last message streams

    Bytes rest() const { return unread.subspan(static_cast<std::size_t>(size)); }
    bool streams() const { return size > unread.size(); }
  };

  // conversation.cpp
  bool releasable() const;
  bool quiet() const;
  void undo(Expected& entry);
  void forget_queue();

  // conversation_client.cpp: messages of the client. A handler either lengthens the run (no value
  // and a longer run), leaves work in an outbox (no value and the same run) or says a verdict.
  Verdict client_step(Bytes unread);
  Step attached_message(Run& run);
  Step handle(FromClient action, const Header& header, Run& run);
  Step detached_message(Bytes unread);
  Step refused_message(Bytes unread);
  Verdict stream_text(Bytes unread);
  Step on_query(const Header& header, Run& run);
  Step on_bare(FromClient action, const Header& header, Run& run);
  Step pass(const Header& header, Run& run);
  Step pass(const Header& header, Run& run, Reply owed);
  Step skip(const Header& header, Run& run);
  Step when_full();

  // conversation_prepared.cpp: prepared statements.
  Step on_parse(const Header& header, Run& run);
  Step on_long_parse(const Header& header, Run& run);
  Step on_named_parse(const ParseMessage& message);
  void on_unnamed_parse(const ParseMessage& message);
  Step on_bind(const Header& header, Run& run);
  Step on_describe(const Header& header, Run& run);
  Step on_close(const Header& header, Run& run);
  Step close_unattached(Bytes unread, const Header& header);
  bool holds_unnamed();
  /// The backend will have the unnamed statement this client means, or none.
  void inject_unnamed();
  void inject(const StatementRef& statement);
  void execute_effects(Effects effects);

  // conversation_backend.cpp: messages of the backend.
  Verdict backend_step(Bytes unread);
  Step backend_message(Run& run);
  Verdict settle_step(Bytes unread);
  Verdict settled();
  void make_up_replies();
  Step on_error(const Header& header, Run& run);
  void fail_batch();
  Step on_copy_in(const Header& header, Run& run);
  Step on_ready(Run& run);
  Step on_command(const Header& header, Run& run, bool last);
  Step on_parameter(const Header& header, Run& run);
  void forgotten_by_backend(bool everything);
  void keep_what_is_underway();

  CatalogRef catalog_;
  ProfileRef wanted_;
  ClientStatements statements_;
  StatementRef unnamed_;  ///< with an empty body: it exists only on the attached backend

  Backend* backend_ = nullptr;
  ReplyQueue queue_;
  Outbox to_client_{Party::client};
  Outbox to_backend_{Party::backend};
  Gather gather_;
  std::unique_ptr<TextScan> scan_;  ///< of a text that arrives in pieces
  std::uint64_t text_left_ = 0;     ///< bytes of that message still to come
  std::uint8_t text_head_ = 0;      ///< bytes in front of the text
  std::uint64_t carry_ = 0;         ///< bytes of a message whose head has been rewritten
  std::unique_ptr<Writer> refusal_;
  std::unique_ptr<std::string> settle_error_;  ///< an ErrorResponse for the client
  Effects effects_ = 0;
  Phase phase_ = Phase::relay;
  char status_ = 'I';
  bool used_ = false;      ///< the attached backend has been given something
  bool unsynced_ = false;  ///< an extended batch waits for its Sync
  bool settling_ = false;  ///< parameters are being set
  bool settle_failed_ = false;
  bool stale_ = false;          ///< the backend's statements do not do any more
  bool flushed_ = false;        ///< the backend has been asked to answer a full queue
  bool last_words_ = false;     ///< the backend said FATAL
  bool client_moving_ = false;  ///< a forward of the client's bytes may be unfinished
  bool backend_moving_ = false;
  bool backend_partial_ = false;  ///< the front of a message of the backend has been seen
};

}  // namespace weirpool::protocol::postgres
