// The command phase of a PostgreSQL client: which bytes go where, when a backend is needed and when
// it is free again.
//
//   client                       weirpool                             backend
//   Query | Parse ...     ->     lease, attach
//                                SET of what differs           ->
//                                                              <-     (swallowed) ReadyForQuery
//                                Query, Parse, Bind ... Sync   ->
//                         <-     answers, in order             <-     ... ReadyForQuery 'I'
//                                what has become of the session? (only if it may have changed)
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
#include <vector>

#include "protocol/engine.hpp"
#include "protocol/postgres/backend_state.hpp"
#include "protocol/postgres/catalog.hpp"
#include "protocol/postgres/conversation_table.hpp"
#include "protocol/postgres/frame.hpp"
#include "protocol/postgres/lost_transaction.hpp"
#include "protocol/postgres/query_messages.hpp"
#include "protocol/postgres/reply_queue.hpp"
#include "protocol/postgres/session_check.hpp"
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
      : catalog_(std::move(catalog)), startup_(std::move(wanted)), wanted_(startup_) {}

  Verdict step(Party from, MutableBytes unread) override;
  void place(Pooling pooling, std::string_view) override { pooling_ = pooling; }
  void attach(BackendState& backend) override;
  void detach() override;
  void refuse(Fault fault, std::string_view detail) override;
  bool at_boundary() const override;
  bool needs_reset() const override {
    return (effects_ & kPins) != 0 || check_ || (used_ && catalog_->policy.reset_always);
  }
  std::string_view pin_reason() const override { return pin_label(effects_); }
  std::uint32_t statement_limit_ms() const override;
  std::string_view request_text(Bytes unread) const override;
  bool says_goodbye(Bytes unread) const override;
  bool awaits_client() const override { return unsynced_ || phase_ == Phase::copy_in; }
  void write_rollback(Writer& out) const override;
  std::string_view application() const override;
  std::size_t prepared_statements() const override { return statements_.size(); }
  bool executing() const override { return !queue_.empty(); }
  std::uint32_t answered() const override { return answered_; }
  bool refused_to_write() const override { return refused_to_write_; }
  Verdict backend_lost(bool torn) override;
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
  bool owes_nothing() const;
  bool quiet() const { return status_ == 'I' && owes_nothing(); }
  void note_left_behind();
  void undo(Expected& entry);
  void forget_queue();

  // conversation_client.cpp: messages of the client. A handler either lengthens the run (no value
  // and a longer run), leaves work in an outbox (no value and the same run) or says a verdict.
  Verdict client_step(Bytes unread);
  Verdict client_verdict(Bytes unread);
  Step attached_message(Run& run);
  Step handle(FromClient action, const Header& header, Run& run);
  Step detached_message(Bytes unread);
  Step refused_message(Bytes unread);
  bool ends_nothing(const Header& header, Bytes unread);
  Verdict stream_text(Bytes unread);
  Step on_query(const Header& header, Run& run);
  Step on_function(const Header& header, Run& run);
  void refuse_query(const Header& header, std::string words);
  bool deallocates(const TextEffects& effects, std::string_view text, const Header& header,
                   const Run& run);
  void replace_query(const Header& header, Reply owed, std::unique_ptr<Note> note,
                     std::string_view text);
  Step on_bare(FromClient action, const Header& header, Run& run);
  Step pass(const Header& header, Run& run);
  Step pass(const Header& header, Run& run, Reply owed);
  Step skip(const Header& header, Run& run);
  Step when_full();

  // conversation_loss.cpp: the backend goes.
  void note_ending(std::string_view text, bool whole);
  bool expendable() const;
  LostTransaction::Heard heard() const;
  Step lost_message(Bytes unread);

  // conversation_prepared.cpp: prepared statements.
  Step on_parse(const Header& header, Run& run);
  Step on_long_parse(const Header& header, Run& run);
  Step on_named_parse(const ParseMessage& message);
  bool on_unnamed_parse(const ParseMessage& message);
  bool refuse_parse(Effects effects);
  Step on_bind(const Header& header, Run& run);
  Step on_describe(const Header& header, Run& run);
  Step on_close(const Header& header, Run& run);
  Step close_unattached(Bytes unread, const Header& header);
  bool holds_unnamed();
  /// The backend will have the unnamed statement this client means, or none.
  void inject_unnamed();
  void inject(const StatementRef& statement);
  void inject_close(const BackendStatements::Known& known);
  std::string_view meaning();
  StatementRef on_backend(ClientStatement& mine);
  Step bind_named(const Header& header, const BindHead& head, ClientStatement& mine, bool asks);
  void rewrite_bind(const Header& header, const BindHead& head, std::string_view name);

  // conversation_backend.cpp: messages of the backend.
  Verdict backend_step(Bytes unread);
  Step backend_message(Run& run);
  void make_up_replies();
  Step on_error(const Header& header, Run& run);
  void fail_batch();
  Step on_copy_in(const Header& header, Run& run);
  Step on_ready(Run& run);
  Step on_command(const Header& header, Run& run, bool last);
  Step on_deallocated(const Header& header, Run& run);
  void on_tag(std::string_view tag);
  void forgotten_by_backend(bool everything);
  void keep_what_is_underway();

  // conversation_healing.cpp: statements that have changed.
  void keep_batch();
  void keep(const Verdict& verdict, Bytes unread);
  ClientStatement* client_statement(std::uint64_t number);
  bool outdated();
  Verdict heal_step(Bytes unread);
  void send_again();
  static std::string outdated_error();

  // conversation_state.cpp: session state, and weirpool's own statements about it.
  /// One that is being executed.
  enum class Purpose : std::uint8_t { settle, check, cleanse };
  struct Own {
    Purpose purpose = Purpose::settle;
    bool interrupted = false;
    std::vector<std::string> names;  ///< of the parameters in the columns of the row
    Row row;
    std::string error;  ///< an ErrorResponse for the client
  };
  void execute_effects(const TextEffects& effects);
  void touch_settings(const std::vector<Setting>& settings);
  SessionCheck& check();
  void touch_everything();
  Step check_step();
  void begin_own(Purpose purpose, std::string_view text, std::vector<std::string> names = {});
  bool cleanse(const TextEffects& effects);
  Verdict own_step(Bytes unread);
  void own_done();
  void settle();
  void settled(const Own& own);
  void adopt(const ProfileRef& spelled);
  void checked(const Row& row);
  void back_to_startup(const SessionCheck::Touched& touched);
  void learn(const SessionCheck::Touched& touched, const std::optional<std::string>& now);
  bool is_default(std::string_view name, std::string_view value) const;
  Step on_parameter(const Header& header, Run& run);
  const Reading& reading() const { return backend_->parameters.reading(); }
  bool doubtful_reading() const;
  bool texts_behind() const;
  void texts_misread();

  CatalogRef catalog_;
  ProfileRef startup_;  ///< what RESET leads back to
  ProfileRef wanted_;
  ClientStatements statements_;
  std::string private_meaning_;  ///< of statements parsed while parameters are unsettled
  StatementRef unnamed_;         ///< with an empty body: it exists only on the attached backend

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
  std::unique_ptr<LostTransaction> lost_;  ///< the client's transaction, which no backend has
  std::unique_ptr<SessionCheck> check_;    ///< due at the next boundary
  std::unique_ptr<Own> own_;
  StatementRef healing_;              ///< its batch will be sent again
  ClientStatement* bound_ = nullptr;  ///< by the last Bind of this batch
  std::uint32_t answered_ = 0;        ///< ReadyForQuery messages of backends
  Effects effects_ = 0;
  Phase phase_ = Phase::relay;
  Pooling pooling_ = Pooling::transaction;
  char status_ = 'I';
  bool used_ = false;      ///< the attached backend has been given something
  bool unsynced_ = false;  ///< an extended batch waits for its Sync
  bool settle_failed_ = false;
  bool keeping_ = false;     ///< what is sent is kept in Backend::sent
  bool served_ = false;      ///< the attached backend has finished something of this client's
  bool cleansed_ = false;    ///< it remembers no sequence of anybody else's
  bool unsettled_ = false;   ///< parameters have been changed since the last boundary
  bool resets_all_ = false;  ///< a RESET ALL that nothing has undone is under way
  std::uint8_t own_tries_ = 0;
  bool flushed_ = false;     ///< the backend has been asked to answer a full queue
  bool last_words_ = false;  ///< the backend said FATAL
  bool refused_to_write_ = false;
  bool doubtful_ = false;          ///< what may end the transaction is under way
  bool settings_changed_ = false;  ///< a parameter has, inside this transaction
  bool refused_ = false;           ///< the last request that needed a backend was
  bool client_moving_ = false;     ///< a forward of the client's bytes may be unfinished
  bool backend_moving_ = false;
  bool backend_partial_ = false;  ///< the front of a message of the backend has been seen
};

}  // namespace weirpool::protocol::postgres
